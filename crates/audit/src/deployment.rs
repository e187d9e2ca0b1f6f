//! An entry for the registry of differential privacy deployments, drawn from the policy in force and from the log.
//!
//! The fields are those of the registry's schema (github.com/opendp/deployments-registry-data, as of July 2026), after Ghazi,
//! Nanayakkara and Vadhan, "Practitioners' Perspectives on a Differential Privacy Deployment Registry" (arXiv:2509.13509).

use lango_policy::{Budget, Grant, PolicySet, Renewal};
use lango_privacy::{Accounting, Dataset, nano};
use lango_words::line;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;

use crate::summary::LogSummary;

/// The entry of one dataset: a JSON document, which is YAML too. What neither the policy nor the log says stands in brackets, for
/// the office to write. Nothing where the policy has no budget for the dataset.
#[must_use]
pub fn deployment_entry(
    origin: &str,
    policy: &PolicySet,
    dataset: &Dataset,
    summary: &LogSummary,
) -> Option<Value> {
    let budget = policy.budget(&dataset.name)?;
    let pool = policy.pool(&dataset.name)?;
    let grants: Vec<&Grant> = policy.grants.iter().filter(|grant| grant.dataset == dataset.name).collect();
    let office = line(&policy.office);
    Some(json!({
        "url_slug": slug(&format!("{office}-{}", dataset.name)),
        "status": "Draft",
        "tier": 3,
        "deployment": {
            "basic": {
                "name": line(&dataset.title),
                "data_curators": [format!("[The statistics office {office}, by its full name]")],
                "intended_use": listed(grants.iter().flat_map(|grant| grant.purposes.iter().map(|one| line(one)))),
                "data_product_type": "Interactive API",
                "data_product_region": format!("[The country of {office}]"),
                "description": format!(
                    "Tables of {} by {}, which analysts ask of the office over its gateway. [What the register holds]",
                    dataset.unit.plural,
                    listed(dataset.columns.keys().map(ToString::to_string)),
                ),
                "publication_date": day(summary.span.map(|(first, _)| first)),
                "data_product_sector": "Government",
            },
            "dp_variant": {
                "variant_name": match budget.account {
                    Accounting::Pure => "Pure DP",
                    Accounting::Zcdp { .. } => "Zero-concentrated DP",
                },
                "data_domain": format!(
                    "Every table with the columns {} in which a {} has at most {} rows; rows beyond that are left out.",
                    listed(dataset.columns.keys().map(ToString::to_string)),
                    dataset.unit.noun,
                    dataset.unit.rows_at_most,
                ),
                "unprotected_quantities": "Nothing that is computed from rows. Public are the columns with their codes and ranges, \
                    the dataset's versions, the most rows of a unit, and the office's policy.",
            },
            "privacy_loss": privacy_loss(dataset, (pool.name.as_str(), budget), summary),
            "deployment_model": model(&office, budget, &grants),
            "accounting": {
                "post_processing": "None by the office: integers leave as they were drawn, negative ones too.",
                "composition": "Sequential, over adaptively chosen questions. A ledger adds up what is charged; a question that its \
                    budget does not cover is refused before a row is read.",
            },
            "implementation": {
                "preprocessing_and_hyperparameter_tuning": "Bounds and codes are declared in the policy and not computed from rows. \
                    [How the office chose them and the budget]",
                "mechanisms": "Discrete Laplace and discrete Gaussian noise over whole numbers, drawn by OpenDP with randomness from \
                    OpenSSL; no sum is of floating-point numbers. Each noise is scaled to the sensitivity of its table. Answers may \
                    leave on a grid of times. Mutual TLS, signed questions and answers, and a log of every decision that cannot be \
                    rewritten unseen.",
                "justification": "[Why these choices]",
            },
            "administrative": {
                "sources": format!(
                    "The log {}, {} entries; the policy {}.",
                    line(origin),
                    summary.entries,
                    summary.policy.map_or_else(|| "of which the log says nothing".to_owned(), hex::encode),
                ),
                "notes": notes(summary),
                "registry_authors": ["[Who files this entry]"],
            },
        },
    }))
}

fn privacy_loss(dataset: &Dataset, (pool, budget): (&str, &Budget), summary: &LogSummary) -> Value {
    let mut parameters = Map::new();
    let epsilon = budget.epsilon_nano as f64 / 1e9;
    let details = match budget.account {
        Accounting::Pure => {
            parameters.insert("epsilon".to_owned(), json!(epsilon));
            format!("The budget is epsilon {} {}.", nano(budget.epsilon_nano), renewed(budget.renews))
        }
        Accounting::Zcdp { delta_e18 } => {
            let rho_nano = budget.account.amount_of(budget.epsilon_nano).unwrap_or_default();
            parameters.insert("rho".to_owned(), json!(rho_nano as f64 / 1e9));
            parameters.insert("delta".to_owned(), json!(delta_e18 as f64 / 1e18));
            format!(
                "The budget is rho {} {}, which at this delta guarantees epsilon {}.",
                nano(rho_nano),
                renewed(budget.renews),
                nano(budget.epsilon_nano),
            )
        }
    };
    let spent = summary.budgets().filter(|(of, _, _)| *of == pool).map(|(_, period, spent)| {
        let period = if period.is_empty() { "in all".to_owned() } else { format!("in {}", line(period)) };
        match spent.pure_nano {
            Some(pure) if budget.account == Accounting::Pure => format!("epsilon {} {period}", nano(pure)),
            Some(_) | None => format!("rho {} {period}", nano(spent.rho_nano)),
        }
    });
    json!({
        "privacy_unit": dataset.unit.noun.to_string(),
        "privacy_unit_details": format!(
            "Two registers are adjacent where one has all rows of one {} more, of which at most {} count.",
            dataset.unit.noun, dataset.unit.rows_at_most,
        ),
        "privacy_parameters": parameters,
        "privacy_parameters_details": format!("{details} Charged by the log: {}.", listed(spent)),
    })
}

fn model(office: &str, budget: &Budget, grants: &[&Grant]) -> Value {
    let share = |grant: &&Grant| {
        let (all, each) = (nano(grant.epsilon_total_nano), nano(grant.epsilon_per_query_nano));
        format!("{}: epsilon {all}, at most {each} a question", line(&grant.id))
    };
    json!({
        "model_name": "Central",
        "model_name_details": "Each office adds noise to its own tables; a coordinator passes questions and answers on and sees no \
            rows.",
        "actors": format!(
            "The office {office} holds the rows and is trusted with them. Analysts, the coordinator and the public see noisy tables \
             alone and are not trusted. Auditors see the log, which holds nothing of a row."
        ),
        "release_type": "Many releases",
        "release_type_details": format!(
            "Each question that is answered is a release. The budget is spent by all analysts together and {}; what it does not \
             cover is refused. The same question is answered with the same numbers again, and costs nothing.",
            renewed(budget.renews),
        ),
        "data_source_type": "Static",
        "data_source_type_details": "Each answer is of one version of the dataset; a new version draws on the same budget.",
        "access_type": "Interactive",
        "access_type_details": format!(
            "Grants share the budget: {}. Analysts may share what they learn: the budget bounds all of them together.",
            listed(grants.iter().map(share)),
        ),
    })
}

fn notes(summary: &LogSummary) -> String {
    let all = summary.all();
    format!(
        "From {} to {} the log has {} new answers, {} given again, {} refusals and {} failures.",
        day(summary.span.map(|(first, _)| first)),
        day(summary.span.map(|(_, last)| last)),
        all.answered,
        all.repeated,
        all.refused,
        all.failed,
    )
}

fn renewed(renews: Renewal) -> String {
    match renews {
        Renewal::Never => "once and for all".to_owned(),
        Renewal::Monthly | Renewal::Quarterly | Renewal::Yearly => format!("renewed {}", renews.word()),
    }
}

fn listed(found: impl Iterator<Item = String>) -> String {
    let mut found: Vec<String> = found.collect();
    found.sort();
    found.dedup();
    if found.is_empty() { "none".to_owned() } else { found.join(", ") }
}

/// The day of a moment (UTC), as the schema wants dates.
fn day(at: Option<i64>) -> String {
    let day = at.and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok()).map(OffsetDateTime::date);
    day.map_or_else(|| "[the day of the first answer, as 2026-01-31]".to_owned(), |day| day.to_string())
}

/// Lower-case letters, digits and hyphens: a part of an address.
fn slug(text: &str) -> String {
    let fit = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    text.chars().map(fit).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixture::{activated, charge, digest, loss, policy, question, reserved};

    fn paths(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                fields.iter().for_each(|(name, value)| paths(value, &format!("{at}/{name}"), found));
            }
            Value::Array(items) => items.iter().for_each(|item| paths(item, at, found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.insert(at.to_owned());
            }
        }
    }

    #[test]
    fn an_entry_has_the_fields_of_the_registry_and_the_figures_of_the_log() {
        let bytes = policy("sex", "1.0");
        let documents = lango_policy::canonical_documents(&bytes).unwrap();
        let set = PolicySet::read(&documents).unwrap();
        let mut summary = LogSummary::default();
        summary.take(&activated(&bytes, &[]));
        summary.take(&reserved(&bytes, (1, &question("sex", "0.5")), charge(loss(0), loss(5))));
        assert_eq!(summary.policy, Some(digest(&bytes)));
        let dataset = set.datasets.values().next().unwrap();
        let entry = deployment_entry("ecowas.example/office/GHA", &set, dataset, &summary).unwrap();
        let mut found = BTreeSet::new();
        paths(&entry["deployment"], "", &mut found);
        // The schema's fields; that of an epsilon or a rho with a delta hangs on the currency.
        let expected = "
            /accounting/composition /accounting/post_processing
            /administrative/notes /administrative/registry_authors /administrative/sources
            /basic/data_curators /basic/data_product_region /basic/data_product_sector /basic/data_product_type
            /basic/description /basic/intended_use /basic/name /basic/publication_date
            /deployment_model/access_type /deployment_model/access_type_details /deployment_model/actors
            /deployment_model/data_source_type /deployment_model/data_source_type_details /deployment_model/model_name
            /deployment_model/model_name_details /deployment_model/release_type /deployment_model/release_type_details
            /dp_variant/data_domain /dp_variant/unprotected_quantities /dp_variant/variant_name
            /implementation/justification /implementation/mechanisms
            /implementation/preprocessing_and_hyperparameter_tuning
            /privacy_loss/privacy_parameters/epsilon /privacy_loss/privacy_parameters_details
            /privacy_loss/privacy_unit /privacy_loss/privacy_unit_details";
        assert_eq!(found, expected.split_whitespace().map(str::to_owned).collect());
        assert_eq!((&entry["url_slug"], &entry["status"]), (&json!("gha-residents"), &json!("Draft")));
        let deployment = &entry["deployment"];
        assert_eq!(deployment["basic"]["publication_date"], "2026-05-28");
        assert_eq!(deployment["privacy_loss"]["privacy_parameters"]["epsilon"], 8.0);
        let details = deployment["privacy_loss"]["privacy_parameters_details"].as_str().unwrap();
        assert!(
            details.contains("epsilon 8 renewed yearly") && details.contains("epsilon 0.5 in 2026"),
            "{details}"
        );
        let shares = deployment["deployment_model"]["access_type_details"].as_str().unwrap();
        assert!(shares.contains("analysts: epsilon 1, at most 1 a question"), "{shares}");
    }
}
