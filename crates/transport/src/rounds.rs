//! Whose turn it is where principals share something that there is little of: one after the other, each with one request at a
//! time.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
};

/// How much of a budget one principal may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Most {
    /// This much at any time. A request that asks for more is let in where its principal holds nothing.
    Always(usize),
    /// This much while others wait, and else all of it.
    WhileOthersWait(usize),
}

/// A budget in some unit, who holds how much of it, and who waits.
///
/// INVARIANT (nobody waits for ever): principals have their turns one after the other; a request that does not fit yet is not
/// overtaken by another principal's, unless it waits for what its own principal holds.
#[derive(Debug)]
pub(crate) struct Rounds<P> {
    whole: usize,
    most: Most,
    in_use: usize,
    held: HashMap<P, usize>,
    /// The first has the next turn. No line is empty.
    lines: VecDeque<(P, VecDeque<Waiting>)>,
}

/// A request in its principal's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Waiting {
    number: u64,
    units: usize,
}

impl<P: Clone + Eq + Hash> Rounds<P> {
    pub(crate) fn new(whole: usize, most: Most) -> Self {
        Self { whole, most, in_use: 0, held: HashMap::new(), lines: VecDeque::new() }
    }

    /// Puts a request in its principal's line. One that asks for more than there is gets all of it.
    pub(crate) fn ask(&mut self, principal: &P, number: u64, units: usize) -> usize {
        let units = units.min(self.whole);
        let waiting = Waiting { number, units };
        match self.lines.iter_mut().find(|(whose, _)| whose == principal) {
            Some((_, line)) => line.push_back(waiting),
            None => self.lines.push_back((principal.clone(), VecDeque::from([waiting]))),
        }
        units
    }

    /// Takes a request out of its line; whether it was there still.
    pub(crate) fn leave(&mut self, principal: &P, number: u64) -> bool {
        let Some((_, line)) = self.lines.iter_mut().find(|(whose, _)| whose == principal) else {
            return false;
        };
        let before = line.len();
        line.retain(|waiting| waiting.number != number);
        let left = line.len() < before;
        self.lines.retain(|(_, line)| !line.is_empty());
        left
    }

    /// Gives back what a principal held.
    pub(crate) fn give_back(&mut self, principal: &P, units: usize) {
        self.in_use = self.in_use.saturating_sub(units);
        if let Some(held) = self.held.get_mut(principal) {
            *held = held.saturating_sub(units);
            if *held == 0 {
                self.held.remove(principal);
            }
        }
    }

    /// Lets in every request that may come in now, and returns the numbers of those requests.
    pub(crate) fn let_in(&mut self) -> Vec<u64> {
        let mut let_in = Vec::new();
        while let Some(number) = self.next() {
            let_in.push(number);
        }
        let_in
    }

    fn next(&mut self) -> Option<u64> {
        let others_wait = self.lines.len() > 1;
        let first = |line: &VecDeque<Waiting>| line.front().copied();
        // Who holds too much is passed over; nobody else is.
        let turn = self.lines.iter().position(|(principal, line)| {
            first(line).is_some_and(|waiting| self.may_hold(principal, waiting.units, others_wait))
        })?;
        let (principal, mut line) = self.lines.remove(turn)?;
        let waiting = first(&line)?;
        if self.in_use.saturating_add(waiting.units) > self.whole {
            self.lines.insert(turn, (principal, line));
            return None;
        }
        line.pop_front();
        self.hold(&principal, waiting.units);
        if !line.is_empty() {
            self.lines.push_back((principal, line));
        }
        Some(waiting.number)
    }

    fn hold(&mut self, principal: &P, units: usize) {
        self.in_use += units;
        *self.held.entry(principal.clone()).or_default() += units;
    }

    pub(crate) fn may_hold(&self, principal: &P, units: usize, others_wait: bool) -> bool {
        let held = self.held.get(principal).copied().unwrap_or(0);
        let within = |most: usize| held == 0 || held.saturating_add(units) <= most;
        match self.most {
            Most::Always(most) => within(most),
            Most::WhileOthersWait(most) => !others_wait || within(most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers are let in as they ask; what each asks for is beside it.
    fn asked(rounds: &mut Rounds<&'static str>, asks: &[(&'static str, u64, usize)]) -> Vec<u64> {
        for (principal, number, units) in asks {
            rounds.ask(principal, *number, *units);
        }
        rounds.let_in()
    }

    #[test]
    fn principals_have_their_turns_one_after_the_other() {
        let mut rounds = Rounds::new(10, Most::WhileOthersWait(5));
        assert_eq!(asked(&mut rounds, &[("a", 1, 5), ("a", 2, 5), ("a", 3, 5), ("a", 4, 5)]), [1, 2]);
        assert_eq!(asked(&mut rounds, &[("b", 5, 2), ("b", 6, 9), ("c", 7, 2)]), Vec::<u64>::new());
        // One of four heavy requests ends: the others have their turn before the third.
        rounds.give_back(&"a", 5);
        assert_eq!(rounds.let_in(), [5, 7]);
        // The large one of b holds more than its part with what b has: a is next, and fits when the other heavy one ends.
        rounds.give_back(&"a", 5);
        assert_eq!(rounds.let_in(), [3]);
        for (principal, units, expected) in [("b", 2, vec![]), ("c", 2, vec![]), ("a", 5, vec![6])] {
            rounds.give_back(&principal, units);
            assert_eq!(rounds.let_in(), expected, "{principal}");
        }
        rounds.give_back(&"b", 9);
        assert_eq!(rounds.let_in(), [4]);
        rounds.give_back(&"a", 5);
        assert_eq!((rounds.in_use, rounds.held.len(), rounds.lines.len()), (0, 0, 0));
    }

    #[test]
    fn a_large_request_is_not_overtaken_for_ever() {
        let mut rounds = Rounds::new(10, Most::WhileOthersWait(5));
        assert_eq!(asked(&mut rounds, &[("a", 1, 1), ("b", 2, 10)]), [1]);
        // Small ones come on and on; they wait for the large one, whose turn it is.
        assert_eq!(asked(&mut rounds, &[("a", 3, 1), ("c", 4, 1)]), Vec::<u64>::new());
        rounds.give_back(&"a", 1);
        assert_eq!(rounds.let_in(), [2]);
        rounds.give_back(&"b", 10);
        assert_eq!(rounds.let_in(), [3, 4]);
    }

    #[test]
    fn what_a_principal_may_always_hold_is_not_raised_by_an_empty_house() {
        let mut rounds = Rounds::new(10, Most::Always(3));
        assert_eq!(asked(&mut rounds, &[("a", 1, 2), ("a", 2, 2), ("b", 3, 2)]), [1, 3]);
        // More than its part is let in alone, and more than there is gets all there is.
        assert_eq!(asked(&mut rounds, &[("c", 4, 6), ("d", 5, 99)]), [4]);
        for (principal, units, expected) in
            [("c", 6, vec![]), ("b", 2, vec![]), ("a", 2, vec![2]), ("a", 2, vec![5])]
        {
            rounds.give_back(&principal, units);
            assert_eq!(rounds.let_in(), expected, "{principal}");
        }
    }

    #[test]
    fn who_leaves_the_line_holds_up_nobody() {
        let mut rounds = Rounds::new(4, Most::WhileOthersWait(4));
        assert_eq!(asked(&mut rounds, &[("a", 1, 4), ("b", 2, 4), ("c", 3, 4)]), [1]);
        assert!(rounds.leave(&"b", 2) && !rounds.leave(&"b", 2) && !rounds.leave(&"a", 1));
        rounds.give_back(&"a", 4);
        assert_eq!(rounds.let_in(), [3]);
    }
}
