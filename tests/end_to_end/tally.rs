//! Figures compared one by one, and the count that is printed.

use std::fmt::Debug;

/// How many of the compared figures were the same.
pub struct Tally {
    name: String,
    all: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Nothing compared yet.
    pub fn new(name: impl Into<String>) -> Tally {
        Tally { name: name.into(), all: 0, wrong: Vec::new() }
    }

    /// Compares one figure of ours with the right one.
    pub fn same<T: PartialEq + Debug>(&mut self, what: impl FnOnce() -> String, ours: T, right: T) {
        self.all += 1;
        if ours != right {
            self.wrong.push(format!("{}: {ours:?}, right is {right:?}", what()));
        }
    }

    /// Prints the count; fails unless so many were compared and all of them were the same.
    pub fn close(self, expected: usize) {
        println!("{}: {} of {}", self.name, self.all - self.wrong.len(), self.all);
        assert!(self.wrong.is_empty(), "{}:\n{}", self.name, self.wrong.join("\n"));
        assert_eq!(self.all, expected, "{}: figures compared", self.name);
    }
}
