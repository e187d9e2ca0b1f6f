//! A register of processing activities (article 30 of the GDPR), drawn from the policy in force and from the log.

use std::collections::{BTreeMap, BTreeSet};

use lango_policy::PolicySet;
use lango_privacy::nano;

use crate::summary::{LogSummary, QuestionCounts};

/// The register, as a text in Markdown: what a policy says is the policy's, what was asked is the log's. What neither says is
/// marked, for the office to write.
#[must_use]
pub fn article_30(origin: &str, policy: &PolicySet, summary: &LogSummary) -> String {
    let mut text = vec![
        format!("# Register of processing activities: {}", plain(&policy.office)),
        String::new(),
        format!("Drawn from the log {} and the policy that came into force last, {}.", plain(origin), digest(summary)),
        "What neither says stands in brackets: it is the office's to write.".to_owned(),
        String::new(),
        format!("- Controller (a): the statistics office {}. [Contact, representative, data protection officer]", plain(&policy.office)),
        "- Transfers to third countries (e): figures leave the office with noise and never as rows. [Transfers of the office's own]".to_owned(),
        "- Time limits for erasure (f): [of the registers]. Answers and this log are kept for good.".to_owned(),
        "- Security (g): differential privacy with the budgets below, each charged before a row is read; mutual TLS; \
         signed questions and answers; a log that cannot be rewritten unseen. [Measures of the office's own]"
            .to_owned(),
    ];
    for (name, dataset) in &policy.datasets {
        let grants: Vec<_> = policy.grants.iter().filter(|grant| grant.dataset == *name).collect();
        let list = |found: BTreeSet<String>| match found.is_empty() {
            true => "none".to_owned(),
            false => found.iter().map(|one| plain(one)).collect::<Vec<_>>().join(", "),
        };
        let purposes = grants.iter().flat_map(|grant| grant.purposes.iter().cloned()).collect();
        let recipients = grants.iter().flat_map(|grant| grant.to.iter().map(ToString::to_string)).collect();
        let agreements =
            grants.iter().filter_map(|grant| grant.agreement.as_ref()).map(ToString::to_string).collect();
        let columns = dataset.columns.keys().map(ToString::to_string).collect();
        text.extend([
            String::new(),
            format!("## {} ({})", plain(&dataset.title), plain(name.as_str())),
            String::new(),
            format!("- Purposes (b): {}", list(purposes)),
            format!(
                "- Data subjects (c): {}; version {}",
                plain(dataset.unit.plural.as_str()),
                plain(dataset.version.as_str())
            ),
            format!("- Personal data (c): {}", list(columns)),
            format!("- Recipients (d): {}", list(recipients)),
            format!("- Agreements: {}", list(agreements)),
        ]);
        if let Some(budget) = policy.budget(name) {
            text.push(format!(
                "- Budget: epsilon {} ({}), renewed {}",
                nano(budget.epsilon_nano),
                budget.account.word(),
                budget.renews.word()
            ));
        }
    }
    text.extend([
        String::new(),
        "## What was asked".to_owned(),
        String::new(),
        "| recipient | purpose | answered | repeated | refused | failed |".to_owned(),
        "| --- | --- | ---: | ---: | ---: | ---: |".to_owned(),
    ]);
    text.extend(rows(&summary.askers));
    text.push(String::new());
    text.join("\n")
}

fn rows(askers: &BTreeMap<(String, String), QuestionCounts>) -> impl Iterator<Item = String> {
    askers.iter().map(|((who, purpose), counts)| {
        let QuestionCounts { answered, repeated, refused, failed } = counts;
        format!("| {} | {} | {answered} | {repeated} | {refused} | {failed} |", plain(who), plain(purpose))
    })
}

fn digest(summary: &LogSummary) -> String {
    summary.policy.map_or_else(|| "of which the log says nothing".to_owned(), hex::encode)
}

/// Others' words within Markdown: on one line, and none of its marks.
fn plain(text: &str) -> String {
    lango_words::line(text)
        .chars()
        .flat_map(|c| match c {
            '\\' | '|' | '`' | '*' | '_' | '<' | '>' | '[' | ']' | '#' => vec!['\\', c],
            c => vec![c],
        })
        .collect()
}
