//! The ledger's file as another program reads it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

/// All that a gateway has charged, reserved and released.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TestLedger {
    /// In order of holder.
    pub accounts: Vec<AccountRow>,
    /// The states of all reservations, oldest first.
    pub reservations: Vec<String>,
    /// How many releases are stored.
    pub releases: i64,
}

/// One account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountRow {
    /// Empty for the pool, else the grant's id.
    pub holder: String,
    /// The calendar period.
    pub period: String,
    /// Billionths of epsilon.
    pub pure_nano: Option<i64>,
    /// Billionths of rho.
    pub rho_nano: i64,
}

/// One access record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordRow {
    /// Who asked.
    pub principal: String,
    /// What was decided.
    pub decision: String,
    /// The refusal's code.
    pub reason: String,
    /// The grant that decided.
    pub rule: Option<String>,
    /// What was charged, in billionths of epsilon.
    pub pure_nano: Option<i64>,
    /// What was charged, in billionths of rho.
    pub rho_nano: i64,
    /// How many refusals before it were not recorded.
    pub left_out: i64,
}

fn open(path: &Path) -> Connection {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
    connection
}

impl TestLedger {
    /// Takes the policy that came into force last out of the file, as one of a version that kept none.
    pub fn forget_policy(path: &Path) {
        open(path).execute("DELETE FROM policy_kept", []).unwrap();
    }

    /// Reads the file.
    pub fn read(path: &Path) -> Self {
        let connection = open(path);
        let mut accounts = connection
            .prepare("SELECT holder, period, pure_nano, rho_nano FROM account ORDER BY holder, period")
            .unwrap();
        let account = |row: &rusqlite::Row<'_>| {
            let (holder, period, pure_nano) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok(AccountRow { holder, period, pure_nano, rho_nano: row.get(3)? })
        };
        let accounts = accounts.query_map([], account).unwrap().map(Result::unwrap).collect();
        let mut states = connection.prepare("SELECT state FROM reservation ORDER BY id").unwrap();
        let reservations = states.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let releases = connection.query_row("SELECT count(*) FROM release", [], |row| row.get(0)).unwrap();
        Self { accounts, reservations, releases }
    }

    /// What an account holds, in billionths of epsilon, in the period that was last charged.
    pub fn pure_nano(&self, holder: &str) -> i64 {
        self.accounts.iter().filter(|row| row.holder == holder).map(|row| row.pure_nano.unwrap()).sum()
    }
}

impl RecordRow {
    /// Reads the records of the file, oldest first: of requests, and of what changed. That a gateway started or stopped, and its
    /// first policy, stand in the log too, and are of no interest here.
    pub fn read(path: &Path) -> Vec<Self> {
        let connection = open(path);
        let columns = "principal, decision, reason, rule, pure_nano, rho_nano, left_out";
        let mut records =
            connection.prepare(&format!("SELECT {columns} FROM access_record ORDER BY sequence")).unwrap();
        let record = |row: &rusqlite::Row<'_>| {
            let (principal, decision, reason, rule) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            let (pure_nano, rho_nano, left_out) = (row.get(4)?, row.get(5)?, row.get(6)?);
            Ok(Self { principal, decision, reason, rule, pure_nano, rho_nano, left_out })
        };
        let records: Vec<Self> = records.query_map([], record).unwrap().map(Result::unwrap).collect();
        let is_of_interest = |(place, record): &(usize, Self)| match record.decision.as_str() {
            "started" | "stopped" => false,
            "activated" => *place != 1,
            _ => true,
        };
        records.into_iter().enumerate().filter(is_of_interest).map(|(_, record)| record).collect()
    }
}
