//! A set of numbers as runs: what is dense costs nothing, however long it becomes.

use std::collections::BTreeMap;

/// Numbers, as runs from a first to a last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs(BTreeMap<u64, u64>);

impl Runs {
    /// Adds one; `false`: it was there.
    pub fn insert(&mut self, number: u64) -> bool {
        if self.contains(number) {
            return false;
        }
        self.insert_all(number, number);
        true
    }

    /// Adds all from `first` to `last`, none of which is there yet.
    pub fn insert_all(&mut self, first: u64, last: u64) {
        let (mut first, mut last) = (first, last);
        if let Some((&before, &end)) = self.0.range(..first).next_back()
            && end + 1 == first
        {
            self.0.remove(&before);
            first = before;
        }
        if let Some(end) = self.0.remove(&(last + 1)) {
            last = end;
        }
        self.0.insert(first, last);
    }

    /// Takes one away; `false`: it was not there.
    pub fn remove(&mut self, number: u64) -> bool {
        let Some((&first, &last)) = self.0.range(..=number).next_back().filter(|(_, last)| **last >= number) else {
            return false;
        };
        self.0.remove(&first);
        if first < number {
            self.0.insert(first, number - 1);
        }
        if number < last {
            self.0.insert(number + 1, last);
        }
        true
    }

    /// Whether it is there.
    pub fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, last)| *last >= number)
    }

    /// How many runs: what it costs.
    pub fn runs(&self) -> usize {
        self.0.len()
    }

    /// How many numbers.
    pub fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }

    /// Those of ours that are not in `others`: how many, and the first.
    pub fn beyond(&self, others: &Self) -> (u64, Option<u64>) {
        let (mut count, mut found) = (0, None);
        for (&first, &last) in &self.0 {
            let mut next = first;
            while next <= last {
                let run = others.0.range(..=next).next_back().filter(|(_, end)| **end >= next);
                if let Some((_, &end)) = run {
                    next = end + 1;
                    continue;
                }
                let until = others.0.range(next..).next().map_or(last, |(&start, _)| last.min(start - 1));
                count += until - next + 1;
                found = found.or(Some(next));
                next = until + 1;
            }
        }
        (count, found)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::carrier::Chance;

    #[test]
    fn it_is_a_set_whatever_is_added_and_taken_away() {
        for seed in 0..20 {
            let chance = Chance::new(seed);
            let (mut runs, mut others, mut set, mut other) =
                (Runs::default(), Runs::default(), BTreeSet::new(), BTreeSet::new());
            for _ in 0..2_000 {
                let number = chance.below(200) as u64;
                if chance.hits(0.5) {
                    assert_eq!(runs.insert(number), set.insert(number), "seed {seed}");
                } else {
                    assert_eq!(runs.remove(number), set.remove(&number), "seed {seed}");
                }
                if chance.hits(0.1) {
                    assert_eq!(others.insert(number), other.insert(number));
                }
            }
            assert_eq!(runs.count(), set.len() as u64);
            assert!((0..200).all(|number| runs.contains(number) == set.contains(&number)), "seed {seed}");
            let beyond: Vec<u64> = set.difference(&other).copied().collect();
            assert_eq!(runs.beyond(&others), (beyond.len() as u64, beyond.first().copied()), "seed {seed}");
        }
    }

    #[test]
    fn what_is_dense_is_one_run() {
        let mut runs = Runs::default();
        (0..10_000).for_each(|number| assert!(runs.insert(number)));
        assert_eq!((runs.runs(), runs.count()), (1, 10_000));
    }
}
