//! Who administers an office, and how many of them a change of its policy takes, as its gateway started with last.

use async_trait::async_trait;
use lango_access_log::{ConfigurationChange, LogEvent, LoggedLines};

use crate::{
    Record, Store, StoreError,
    engine::{Connection, Run},
    statement::statement,
    writer::Write,
};

statement! {
    /// The setting that is known.
    Known = "SELECT setting FROM administration_kept"
}

statement! {
    /// Keeps one in its place.
    Keep { setting } =
        "INSERT INTO administration_kept (one, setting) VALUES (1, :setting) \
         ON CONFLICT (one) DO UPDATE SET setting = excluded.setting"
}

struct KeepSetting {
    setting: String,
    record: Option<Record>,
}

#[async_trait]
impl Write for KeepSetting {
    const NAME: &'static str = "keep-administration";

    type Outcome = bool;

    async fn apply(&self, transaction: &mut Connection) -> Result<bool, StoreError> {
        let Self { setting, record } = self;
        let known = transaction.optional(Known.into()).await?;
        let known: Option<String> = known.map(|row| row.get("setting")).transpose()?;
        if known.as_ref() == Some(setting) {
            return Ok(false);
        }
        if let Some(record) = record {
            let reason = changed(setting, known.as_deref());
            let record = Record { event: configured(record, &reason), reason, ..record.clone() };
            transaction.all(record.insert(&record.leaf()?).into()).await?;
        }
        transaction.all(Keep { setting: setting.into() }.into()).await?;
        Ok(true)
    }
}

/// What the log says of a record of another configuration, with what differs.
fn configured(record: &Record, change: &str) -> Option<LogEvent> {
    let configuration = match &record.event {
        Some(LogEvent::Configuration(change)) => change.configuration,
        _ => return record.event.clone(),
    };
    let changes = LoggedLines::of(&[change.to_owned()]);
    Some(LogEvent::Configuration(ConfigurationChange { changes, configuration }))
}

/// The setting that is, and the one before, where there was one.
fn changed(setting: &str, before: Option<&str>) -> String {
    let before = before.unwrap_or("none on record");
    format!("{setting}; before: {before}")
}

impl Store {
    /// Keeps the setting, in words, that a gateway starts with, in one transaction with the record of it, whose reason says which
    /// it is and which was before. False where it is known already, and nothing has changed.
    pub async fn keep_administration(
        &self,
        setting: &str,
        record: Option<&Record>,
    ) -> Result<bool, StoreError> {
        self.write(KeepSetting { setting: setting.to_owned(), record: record.cloned() }).await
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Decision,
        fixture::{Engine, Fixture, on_both_engines, record},
    };

    on_both_engines! {
        another_setting_is_on_record_once_with_the_one_before,
    }

    async fn another_setting_is_on_record_once_with_the_one_before(engine: Engine) {
        let Fixture { store, .. } = &Fixture::new(engine).await;
        let record = record(Decision::Configured);
        let mut reasons = Vec::new();
        for (setting, record, is_kept) in [
            ("none", None, true),
            ("none", Some(&record), false),
            ("ama", Some(&record), true),
            ("ama", Some(&record), false),
            ("none", Some(&record), true),
        ] {
            assert_eq!(store.keep_administration(setting, record).await.unwrap(), is_kept, "{setting}");
            let records = store.records(0, 9).await.unwrap();
            reasons = records.into_iter().map(|entry| entry.reason).collect();
        }
        assert_eq!(reasons, ["ama; before: none", "none; before: ama"]);
    }

    #[test]
    fn before_the_first_setting_none_is_on_record() {
        assert_eq!(super::changed("ama", None), "ama; before: none on record");
    }
}
