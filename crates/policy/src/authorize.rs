//! The one place that decides access: default deny, and every decision names the rule that made it.

use lango_document::Diagnostic;
use lango_principal::SpiffeId;
use lango_privacy::{Dataset, Query};
use time::Date;

use crate::{
    budget::{Budget, Pool},
    denial::{AccessRequest, Denial, DenialReason},
    explain::Objection,
    grant::Grant,
    prohibition::Prohibition,
    set::PolicySet,
    trial::Tried,
};

/// A question allowed.
#[derive(Debug, Clone, Copy)]
pub struct Granted<'a> {
    /// The rule that allows it.
    pub grant: &'a Grant,
    /// The dataset it speaks of.
    pub dataset: &'a Dataset,
    /// The pool that it draws on.
    pub pool: &'a Pool,
    /// What may be learned from that pool.
    pub budget: &'a Budget,
}

impl PolicySet {
    /// Decides a question: what a prohibition forbids is refused; else the first grant, in the files' order, that allows all of
    /// it decides; else the denial has the reason of the grant that came nearest. What is asked for no purpose is allowed where
    /// it could be asked for one.
    ///
    /// ```
    /// use lango_document::Document;
    /// use lango_policy::{AccessRequest, DenialCode, PolicySet};
    /// use lango_privacy::Query;
    ///
    /// let text = r#"
    /// policy = 2
    /// office = "GHA"
    ///
    /// [dataset.residents]
    /// title = "Residents"
    /// kind = "stock"
    /// source = "register"
    /// table = "residents"
    /// version = "2024-07-01"
    /// unit = { column = "person_id", noun = "person", rows_at_most = 1 }
    ///
    /// [dataset.residents.column]
    /// sex = { codes = ["F", "M"] }
    /// age = { integer = [0, 110], bands = 5 }
    ///
    /// [budget.residents]
    /// accounting = "pure"
    /// epsilon = 8.0
    /// renews = "yearly"
    ///
    /// [[grant]]
    /// id = "analysts"
    /// to = ["spiffe://ecowas.example/analyst/*"]
    /// purpose = ["official-statistics"]
    /// dataset = "residents"
    /// measures = ["persons"]
    /// by = ["sex"]
    /// by_at_most = 1
    /// epsilon_per_query = 1.0
    /// epsilon_total = 4.0
    /// publish = "office"
    /// "#;
    /// let policy = PolicySet::read(&[Document::new("gha.toml", text)])?;
    /// let principal = "spiffe://ecowas.example/analyst/awa".parse()?;
    /// let asked = AccessRequest {
    ///     principal: &principal,
    ///     purpose: Some("official-statistics"),
    ///     on: None,
    ///     epsilon_nano: None,
    /// };
    /// let question = |by: &str| -> Result<Query, _> {
    ///     format!("lango-query 1\ndataset residents\nmeasure persons\n{by}\nprice epsilon 0.5\n").parse()
    /// };
    ///
    /// let by_sex = question("by sex")?;
    /// assert_eq!(policy.authorize(&asked, &by_sex)?.grant.id, "analysts");
    ///
    /// let denial = policy.authorize(&asked, &question("by age")?).unwrap_err();
    /// assert_eq!((denial.code(), denial.rule.as_deref()), (DenialCode::DimensionNotGranted, Some("analysts")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn authorize<'a>(&'a self, asked: &AccessRequest<'_>, query: &Query) -> Result<Granted<'a>, Denial> {
        let unknown = || {
            let (office, dataset) = (self.office.clone(), query.dataset.clone());
            Denial { reason: DenialReason::DatasetUnknown { office, dataset }, rule: None }
        };
        let dataset = self.datasets.get(&query.dataset).ok_or_else(unknown)?;
        let forbidden = |prohibition: &Prohibition| {
            let rule = prohibition.id.clone();
            Denial { reason: DenialReason::Forbidden { rule: rule.clone() }, rule: Some(rule) }
        };
        if let Some(prohibition) = self.forbidding(asked, query).next() {
            return Err(forbidden(prohibition));
        }
        let charged = |grant: &'a Grant| {
            let (pool, budget) = self.pool(&grant.dataset).zip(self.budget(&grant.dataset))?;
            Some(Granted { grant, dataset, pool, budget })
        };
        let mut refused = None;
        let allowed = self.fitting(asked, query).find(|verdict| {
            verdict.objections().next().is_none()
                && match self.for_no_purpose(verdict.grant, asked, query) {
                    None => true,
                    Some(prohibition) => {
                        refused.get_or_insert(prohibition);
                        false
                    }
                }
        });
        // Nothing is allowed of a dataset without a budget, which no policy is read with.
        if let Some(granted) = allowed.and_then(|verdict| charged(verdict.grant)) {
            return Ok(granted);
        }
        if let Some(prohibition) = refused {
            return Err(forbidden(prohibition));
        }
        let mut nearest: Option<(Objection<'_>, &Grant)> = None;
        for verdict in self.explain(asked, query) {
            let Some(objection) = verdict.objections().next() else { continue };
            if nearest.as_ref().is_none_or(|(best, _)| objection.code() > best.code()) {
                nearest = Some((objection, verdict.grant));
            }
        }
        Err(match nearest {
            Some((objection, grant)) => Denial { reason: objection.reason(), rule: Some(grant.id.clone()) },
            None => {
                let (dataset, principal) = (query.dataset.clone(), asked.principal.to_string());
                Denial { reason: DenialReason::PrincipalNotGranted { dataset, principal }, rule: None }
            }
        })
    }

    /// The first prohibition that refuses a question which names no purpose, where each of a grant's purposes is refused by some;
    /// nothing where the question could be asked for one of them, or names its own.
    fn for_no_purpose<'a>(
        &'a self,
        grant: &'a Grant,
        asked: &AccessRequest<'_>,
        query: &Query,
    ) -> Option<&'a Prohibition> {
        if asked.purpose.is_some() {
            return None;
        }
        let mut first = None;
        for purpose in &grant.purposes {
            let for_it = AccessRequest { purpose: Some(purpose), ..*asked };
            match self.forbidding(&for_it, query).next() {
                None => return None,
                refused => first = first.or(refused),
            }
        }
        first
    }

    /// Runs every trial against the policy, in order.
    pub fn try_all(&self) -> impl Iterator<Item = Tried<'_>> {
        self.trials
            .iter()
            .map(|trial| trial.run(&|asked, query| self.authorize(asked, query).map(|granted| granted.grant)))
    }

    /// What is wrong with the trials that fail, in order.
    pub fn run_trials(&self) -> Vec<Diagnostic> {
        self.try_all().filter_map(|tried| tried.failure).collect()
    }

    /// The grants that are to a principal, on whatever day and whatever is asked.
    pub fn grants_to<'a>(&'a self, principal: &'a SpiffeId) -> impl Iterator<Item = &'a Grant> {
        self.grants.iter().filter(move |grant| grant.is_to(principal))
    }

    /// The grants that are open to a principal on a day, whatever is asked.
    pub fn open_to<'a>(&'a self, principal: &'a SpiffeId, on: Date) -> impl Iterator<Item = &'a Grant> {
        self.grants_to(principal).filter(move |grant| grant.is_open(on))
    }
}
