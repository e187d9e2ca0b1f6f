//! Reading a policy's lines.

use std::collections::BTreeMap;

use crate::note_key::{KeyFault, NoteKey, SignatureType};

use super::{KnownLog, KnownWitness, Quorum, WitnessPolicy};

/// The name of the quorum of nobody.
const NONE: &str = "none";

/// The most witnesses and groups together.
const NAMES_MOST: usize = 512;

/// What has been read so far.
#[derive(Default)]
struct Lines {
    logs: Vec<KnownLog>,
    witnesses: Vec<KnownWitness>,
    /// What is named, and whether it is a member of a group.
    named: BTreeMap<String, (Quorum, bool)>,
    quorum: Option<Quorum>,
}

pub(super) fn policy(text: &str) -> Result<WitnessPolicy, WitnessPolicyError> {
    let mut read = Lines::default();
    let at = |line| move |fault| WitnessPolicyError { line, fault };
    let last = text.split('\n').count();
    if !text.is_empty() && !text.ends_with('\n') {
        return Err(at(last)(WitnessPolicyFault::Unfinished));
    }
    for (line, number) in text.split('\n').zip(1..) {
        read.line(line).map_err(at(number))?;
    }
    let Lines { logs, witnesses, quorum, .. } = read;
    let quorum = quorum.ok_or(WitnessPolicyFault::NoQuorum).map_err(at(last))?;
    Ok(WitnessPolicy { logs, witnesses, quorum })
}

impl Lines {
    fn line(&mut self, line: &str) -> Result<(), WitnessPolicyFault> {
        if line.contains(|c: char| c.is_ascii_control() && c != '\t') {
            return Err(WitnessPolicyFault::Control);
        }
        let words: Vec<&str> = line.split([' ', '\t']).filter(|word| !word.is_empty()).collect();
        match words.as_slice() {
            [] => Ok(()),
            [first, ..] if first.starts_with('#') => Ok(()),
            ["log", key] => self.log(key, None),
            ["log", key, url] => self.log(key, Some(url)),
            ["witness", name, key] => self.witness(name, key, None),
            ["witness", name, key, url] => self.witness(name, key, Some(url)),
            ["group", name, least, first, rest @ ..] => {
                let members: Vec<&str> = std::iter::once(*first).chain(rest.iter().copied()).collect();
                self.group(name, least, &members)
            }
            ["quorum", name] => self.quorum(name),
            ["log" | "witness" | "group" | "quorum", ..] => Err(WitnessPolicyFault::Words),
            [keyword, ..] => Err(WitnessPolicyFault::Keyword { word: (*keyword).to_owned() }),
        }
    }

    fn log(&mut self, key: &str, url: Option<&str>) -> Result<(), WitnessPolicyFault> {
        let key = read_key(key, SignatureType::Ed25519)?;
        if self.logs.iter().any(|log| log.key.public() == key.public()) {
            return Err(WitnessPolicyFault::SameKey);
        }
        self.logs.push(KnownLog { key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn witness(&mut self, name: &str, key: &str, url: Option<&str>) -> Result<(), WitnessPolicyFault> {
        let key = read_key(key, SignatureType::Cosignature)?;
        if self.witnesses.iter().any(|witness| witness.key.public() == key.public()) {
            return Err(WitnessPolicyFault::SameKey);
        }
        self.define(name, Quorum::Witness(self.witnesses.len()))?;
        self.witnesses.push(KnownWitness { name: name.to_owned(), key, url: url.map(str::to_owned) });
        Ok(())
    }

    fn group(&mut self, name: &str, least: &str, members: &[&str]) -> Result<(), WitnessPolicyFault> {
        let count = members.len();
        let number = || least.parse().ok().filter(|number: &usize| number.to_string() == least);
        let number = match least {
            "any" => Some(1),
            "all" => Some(count),
            _ => number(),
        };
        let least = number
            .filter(|number| (1..=count).contains(number))
            .ok_or(WitnessPolicyFault::Least { count })?;
        // A member is taken from among the names before the group has its own.
        let members: Result<Vec<Quorum>, _> = members.iter().map(|member| self.take(member)).collect();
        self.define(name, Quorum::Several(least, members?))
    }

    /// What a name stands for, which belongs to one group at most.
    fn take(&mut self, name: &str) -> Result<Quorum, WitnessPolicyFault> {
        let undefined = || WitnessPolicyFault::Undefined { name: name.to_owned() };
        let (quorum, is_member) = self.named.get_mut(name).ok_or_else(undefined)?;
        match std::mem::replace(is_member, true) {
            true => Err(WitnessPolicyFault::SecondGroup { name: name.to_owned() }),
            false => Ok(quorum.clone()),
        }
    }

    fn define(&mut self, name: &str, quorum: Quorum) -> Result<(), WitnessPolicyFault> {
        if name == NONE || self.named.contains_key(name) {
            return Err(WitnessPolicyFault::Defined { name: name.to_owned() });
        }
        if self.named.len() == NAMES_MOST {
            return Err(WitnessPolicyFault::Many);
        }
        self.named.insert(name.to_owned(), (quorum, false));
        Ok(())
    }

    fn quorum(&mut self, name: &str) -> Result<(), WitnessPolicyFault> {
        if self.quorum.is_some() {
            return Err(WitnessPolicyFault::SecondQuorum);
        }
        let undefined = || WitnessPolicyFault::Undefined { name: name.to_owned() };
        self.quorum = Some(match name {
            NONE => Quorum::Nothing,
            _ => self.named.get(name).ok_or_else(undefined)?.0.clone(),
        });
        Ok(())
    }
}

fn read_key(text: &str, signature_type: SignatureType) -> Result<NoteKey, WitnessPolicyFault> {
    let key: NoteKey = text.parse()?;
    if key.signature_type() == signature_type { Ok(key) } else { Err(KeyFault::SignatureType.into()) }
}

/// A line that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {fault}")]
pub struct WitnessPolicyError {
    /// Which, from 1; of what is missing, the last.
    pub line: usize,
    /// What is wrong with it.
    pub fault: WitnessPolicyFault,
}

/// What is wrong with a policy of witnesses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WitnessPolicyFault {
    /// The last line has no end, so that something may be missing.
    #[error("the line has no end: write a line end behind it")]
    Unfinished,
    /// A character that may not stand in a policy.
    #[error("the line has a control character other than a tabulator: delete it")]
    Control,
    /// No such line.
    #[error("`{word}` begins no line: `log`, `witness`, `group` and `quorum` do")]
    Keyword {
        /// The word.
        word: String,
    },
    /// Too few words or too many.
    #[error(
        "write `log KEY [URL]`, `witness NAME KEY [URL]`, `group NAME all|any|NUMBER MEMBER..` or `quorum NAME`"
    )]
    Words,
    /// No key, or one of the wrong kind.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The same key under another name.
    #[error("the key stands on a line before already: each log and each witness has its own")]
    SameKey,
    /// Not a number that the group can reach.
    #[error("a group of {count} needs `all`, `any` or a number from 1 to {count}")]
    Least {
        /// How many members it has.
        count: usize,
    },
    /// The name has a meaning.
    #[error("`{name}` has a meaning already: choose another name")]
    Defined {
        /// The name.
        name: String,
    },
    /// Too many names.
    #[error("there are more than {NAMES_MOST} witnesses and groups")]
    Many,
    /// The name has none.
    #[error("`{name}` is no witness and no group of a line before")]
    Undefined {
        /// The name.
        name: String,
    },
    /// The name is in a group.
    #[error("`{name}` is a member of a group already, and of one at most")]
    SecondGroup {
        /// The name.
        name: String,
    },
    /// A second quorum.
    #[error("the quorum stands on a line before already")]
    SecondQuorum,
    /// No quorum.
    #[error("the policy has no quorum: write `quorum NAME`, or `quorum none`")]
    NoQuorum,
}
