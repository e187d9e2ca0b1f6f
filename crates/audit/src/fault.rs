//! What is wrong with a log, and where: typed facts, in words for people.

use std::fmt;

use lango_access_log::LoggedLoss;
use lango_ledger::PoolsError;
use lango_privacy::nano;

/// An account by its pool and, where it is a grant's share, the grant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountName {
    /// The pool.
    pub pool: String,
    /// The grant; none for the pool itself.
    pub grant: Option<String>,
}

impl AccountName {
    pub(crate) fn of(pool: &str, grant: Option<&str>) -> Self {
        Self { pool: pool.to_owned(), grant: grant.map(str::to_owned) }
    }
}

impl fmt::Display for AccountName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.grant {
            None => write!(f, "pool `{}`", self.pool),
            Some(grant) => write!(f, "grant `{grant}` of pool `{}`", self.pool),
        }
    }
}

/// An amount as people read it: epsilon, or rho where there is no pure guarantee.
pub(crate) struct Shown<'a>(pub(crate) &'a LoggedLoss);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rho = nano(self.0.rho_nano.0);
        match self.0.pure_nano {
            Some(pure) => write!(f, "epsilon {} (rho {rho})", nano(pure.0)),
            None => write!(f, "rho {rho}"),
        }
    }
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogFault {
    /// A time that no calendar has.
    #[error("its time is beyond every calendar")]
    Moment,
    /// No period of a budget begins then.
    #[error("no period of a budget begins at {since}, in Unix seconds")]
    Period {
        /// As the entry says, in Unix seconds.
        since: i64,
    },
    /// A period's name that is none.
    #[error("`{period}` is no period of a budget")]
    PeriodName {
        /// As it is written.
        period: String,
    },
    /// The balance before a charge is not what the entries before it come to.
    #[error("the {account} held {} by the entries before, and the entry says {}", Shown(.expected), Shown(.found))]
    Balance {
        /// Which.
        account: AccountName,
        /// By the entries before.
        expected: LoggedLoss,
        /// As the entry says.
        found: LoggedLoss,
    },
    /// More is given back than was charged.
    #[error("it gives back what is not charged")]
    GivenBackTwice,
    /// A charge is given back that no entry made.
    #[error("it gives back a charge that no entry before it made")]
    NoCharge,
    /// Another amount is given back than was charged.
    #[error("it gives back another amount than entry {charged_in} charged, or to other accounts")]
    OtherCharge {
        /// The entry of the charge.
        charged_in: u64,
    },
    /// The ledger holds something else than the log says.
    #[error("the ledger's {account} holds {}, and the log comes to {}", Shown(.kept), Shown(.expected))]
    Ledger {
        /// Which.
        account: AccountName,
        /// By the log.
        expected: LoggedLoss,
        /// By the ledger.
        kept: LoggedLoss,
    },
    /// The balances are of a later moment than the log reaches.
    #[error("the balances are of {size} entries, and the log has {entries}")]
    LedgerAhead {
        /// The entries that the balances are of.
        size: u64,
        /// The entries that there are.
        entries: u64,
    },
    /// The policy that it names is not at hand.
    #[error("the policy {} is not known", hex::encode(.digest))]
    PolicyUnknown {
        /// Its digest.
        digest: [u8; 32],
    },
    /// The policy's text is of another digest.
    #[error("the text that is held for the policy {} has another digest", hex::encode(.digest))]
    PolicyText {
        /// The digest that it should have.
        digest: [u8; 32],
    },
    /// The policy cannot be read by this version.
    #[error("this version of Lango does not read the policy {}", hex::encode(.digest))]
    PolicyUnread {
        /// Its digest.
        digest: [u8; 32],
    },
    /// A decision under a policy that had not come into force.
    #[error("no entry before it says that the policy {} came into force", hex::encode(.digest))]
    PolicyNotInForce {
        /// Its digest.
        digest: [u8; 32],
    },
    /// A decision under a policy that was no longer in force.
    #[error("another policy had come into force in the place of {}, by which it was decided", hex::encode(.digest))]
    PolicyReplaced {
        /// Its digest.
        digest: [u8; 32],
    },
    /// The question's text is not what its digest is of.
    #[error("the question's text does not have the question's digest")]
    QuestionDigest,
    /// The question is none.
    #[error("its question is none that this version of Lango reads, and it was not refused as such")]
    QuestionUnread,
    /// The dataset is not the question's.
    #[error("it names another dataset than its question")]
    Dataset,
    /// The principal is none.
    #[error("its principal is none")]
    Principal,
    /// It was granted, and the policy denies it.
    #[error("it was granted by `{rule}`, and the policy denies it: {denial}")]
    NotGranted {
        /// The rule that the entry names.
        rule: String,
        /// What the policy says.
        denial: String,
    },
    /// It was granted by another rule than the policy decides by.
    #[error("it was granted by `{rule}`, and the policy decides by `{by}`")]
    OtherRule {
        /// The rule that the entry names.
        rule: String,
        /// The rule that decides.
        by: String,
    },
    /// It was refused, and the policy grants it.
    #[error("it was refused as `{code}`, and the policy grants it by `{by}`")]
    WouldGrant {
        /// The code of the refusal.
        code: String,
        /// The rule that grants it.
        by: String,
    },
    /// It was refused for another reason than the policy's.
    #[error("it was refused as `{code}`, and the policy refuses it as `{by}`")]
    OtherDenial {
        /// The code of the refusal.
        code: String,
        /// The policy's own.
        by: String,
    },
    /// It was charged to other accounts than the policy's.
    #[error("it was charged to other accounts, or to other periods of them, than its policy says")]
    OtherAccounts,
    /// It was charged beyond the limit.
    #[error("it was charged, and the {account} does not cover it")]
    BeyondLimit {
        /// The account.
        account: AccountName,
    },
    /// It was charged another amount than its question costs.
    #[error("it was charged {}, and its question costs {} under its policy", Shown(.found), Shown(.expected))]
    OtherPrice {
        /// What the question costs.
        expected: LoggedLoss,
        /// As the entry says.
        found: LoggedLoss,
    },
    /// It was charged for a question that has no price.
    #[error("it was charged, and its question has no price under its policy")]
    NoPrice,
    /// Its question is cut short though it need not be.
    #[error("its question's text is cut short where an entry holds more")]
    CutShort,
    /// Charges that moved between pools which do not allow it.
    #[error("it moves the charges of the pool `{from}` to `{to}`, which its policy does not allow")]
    Moved {
        /// The pool that held them.
        from: String,
        /// The pool that would hold them.
        to: String,
    },
    /// Charges that did not follow their rows.
    #[error("the charges of the pool `{from}` belong to `{to}` under its policy, and it does not move them")]
    NotMoved {
        /// The pool that held them.
        from: String,
        /// The pool that their rows are in now.
        to: String,
    },
    /// A policy that would have parted charges from their rows.
    #[error("no gateway takes its policy: {error}")]
    Parted {
        /// What the ledger says of it.
        error: PoolsError,
    },
    /// The ledger has no balance where the log has charges.
    #[error(
        "the ledger has no balance of the {account} for the period `{period}`, in which the log charged it last"
    )]
    LedgerLacks {
        /// The account.
        account: AccountName,
        /// The calendar period; empty where the budget never renews.
        period: String,
    },
    /// It was refused for want of budget that was there.
    #[error("it was refused for want of budget, and both accounts cover it")]
    Covered,
    /// An answer without a reservation.
    #[error("it is an answer, and no entry before it set its price aside")]
    NotReserved,
    /// An answer without a question, a rule, or an identifier.
    #[error("it is an answer without `{field}`")]
    Lacks {
        /// What it lacks.
        field: &'static str,
    },
    /// A release that was made twice.
    #[error("it releases `{}`, which was released before", hex::encode(.id))]
    ReleasedTwice {
        /// The release.
        id: [u8; 16],
    },
    /// A release that was never made.
    #[error("it repeats `{}`, which no entry before it released", hex::encode(.id))]
    NotReleased {
        /// The release.
        id: [u8; 16],
    },
    /// A record from before the log that is not at its beginning.
    #[error(
        "it is a record from before the log, and stands behind entries of the log: nothing was charged for what it says"
    )]
    NotEarlier,
    /// An answer to a request that the coordinator does not know.
    #[error("it is an answer, and the coordinator's log has no such request")]
    NotRelayed,
    /// An answer that the coordinator says nothing of.
    #[error("it is an answer, and the coordinator's log does not say what became of it")]
    NotPassedOn,
    /// The coordinator passed on another answer.
    #[error("it is an answer, and the coordinator passed on another one to the same request")]
    OtherAnswer,
    /// An answer that the coordinator passed on and the office did not give.
    #[error("of the coordinator's log: it passed on an answer that the office's log does not have")]
    NotGiven,
    /// An answer that the coordinator passed on to nobody who asked.
    #[error("of the coordinator's log: it passed on an answer to a request that no entry before it has")]
    NotAsked,
    /// A release of another question.
    #[error("it repeats `{}`, which answered another question", hex::encode(.id))]
    OtherRelease {
        /// The release.
        id: [u8; 16],
    },
}

/// A fault with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FaultAt {
    /// The entry, from 0; none where it is of the log as a whole.
    pub entry: Option<u64>,
    /// The entry's time, in Unix seconds.
    pub at: Option<i64>,
    /// What is wrong.
    pub fault: LogFault,
}
