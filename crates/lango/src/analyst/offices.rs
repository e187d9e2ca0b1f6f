//! What several offices say alike, said once.

use lango_analyst::NoAnswer;
use lango_wire::SignedRefusal;

use crate::output::counted;

/// Values with the offices that they are of, in the order of their first offices.
pub fn alike<'a, K: PartialEq, V>(
    each: impl IntoIterator<Item = (&'a str, V)>,
    key: impl Fn(&V) -> K,
) -> Vec<(Vec<&'a str>, V)> {
    let mut groups: Vec<(K, Vec<&str>, V)> = Vec::new();
    for (office, value) in each {
        let of = key(&value);
        match groups.iter_mut().find(|(known, ..)| *known == of) {
            Some((_, offices, _)) => offices.push(office),
            None => groups.push((of, vec![office], value)),
        }
    }
    groups.into_iter().map(|(_, offices, value)| (offices, value)).collect()
}

/// What makes two refusals the same: all that was signed but who signed it.
pub fn refused_alike(refusal: &SignedRefusal) -> (String, Vec<(String, String)>) {
    let facts = refusal.arguments.iter().filter(|(name, _)| *name != "office");
    (refusal.code.clone(), facts.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// What makes two reasons for no answer the same.
pub fn unanswered_alike(why: &NoAnswer) -> (String, Vec<(String, String)>) {
    match why {
        NoAnswer::Refused(refusal) => refused_alike(refusal),
        NoAnswer::Missing(absence) => (absence.reason().to_owned(), Vec::new()),
    }
}

/// Some of `asked` offices: by their names, or as all of them.
pub fn named(offices: &[&str], asked: usize) -> String {
    match offices.len() {
        count if count == asked && count > 1 => format!("all {}", counted(count, "office")),
        _ => offices.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_said_once_of_all_who_say_it() {
        let said = [("BEN", "no"), ("GHA", "yes"), ("TGO", "no")];
        let groups = alike(said, |value| value.len());
        assert_eq!(groups, [(vec!["BEN", "TGO"], "no"), (vec!["GHA"], "yes")]);
        for (offices, asked, expected) in [
            (vec!["BEN", "TGO"], 3, "BEN, TGO"),
            (vec!["BEN", "TGO"], 2, "all 2 offices"),
            (vec!["BEN"], 1, "BEN"),
        ] {
            assert_eq!(named(&offices, asked), expected);
        }
    }
}
