//! The daily anchor: one signed statement of where every incident's history stood.
//!
//! Its root is that of a Merkle tree (RFC 6962, 2.1) over the heads that moved since the anchor before it, which it
//! names by hash; so every head is in its tree or in one before it. An incident's place in a tree is proved by a few
//! hashes, without a word about any other incident.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use super::{
    hex::Hash,
    signature::{PublicKey, Signature, signed},
};
use crate::{clock::Time, id::IncidentId};

/// What an anchor calls itself.
pub const FORMAT: &str = "ringdown-anchor/1";

/// What the hash before the first anchor is made of.
const DOMAIN: &str = "ringdown anchors 1\n";

/// A signed statement of heads, as it is signed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Anchor {
    pub format: String,
    /// The last day (UTC) it covers to its end; what happened after it, until it was made, may be covered too.
    pub day: NaiveDate,
    /// The first day since the anchor before; earlier than `day` after down time.
    pub from: NaiveDate,
    pub made_at: Time,
    /// How many heads moved.
    pub heads: u64,
    /// The hash of the anchor before.
    pub previous: Hash,
    /// Over the heads that moved.
    pub root: Hash,
}

/// Where an incident's history stood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Leaf {
    pub incident: IncidentId,
    pub seq: u64,
    pub head: Hash,
}

/// An anchor with the proof that it covers one incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Covering {
    pub anchor: Anchor,
    pub signature: Signature,
    /// The last of the incident's events that it covers.
    pub seq: u64,
    /// From the incident's leaf to the root.
    pub path: Vec<Step>,
}

/// One step up a tree: what stands on this side of what is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Left(Hash),
    Right(Hash),
}

impl Anchor {
    /// The hash that the next anchor names. An anchor always has a canonical form.
    pub fn hash(&self) -> Hash {
        let value = serde_json::to_value(self).unwrap_or_default();
        Hash::of(&[super::canonical::text(&value).unwrap_or_default().as_bytes()])
    }
}

/// What the first anchor names as the one before it.
pub fn genesis() -> Hash {
    Hash::of(&[DOMAIN.as_bytes()])
}

impl Leaf {
    fn hash(&self) -> Hash {
        let line = format!("{} {} {}", self.incident, self.seq, self.head);
        Hash::of(&[&[0], line.as_bytes()])
    }
}

fn node(left: &Hash, right: &Hash) -> Hash {
    Hash::of(&[&[1], &left.0, &right.0])
}

/// The root over these leaves, in the order of their incidents' ids.
pub fn root(leaves: &[Leaf]) -> Hash {
    let mut level = sorted(leaves);
    while level.len() > 1 {
        level = above(&level);
    }
    level.first().copied().unwrap_or_else(|| Hash::of(&[]))
}

/// The way from an incident's leaf to the root; `None` when it is not among them.
pub fn path(leaves: &[Leaf], incident: &IncidentId) -> Option<Vec<Step>> {
    let own = leaves.iter().find(|leaf| leaf.incident == *incident)?.hash();
    let mut level = sorted(leaves);
    let (mut place, mut path) = (level.iter().position(|hash| *hash == own)?, Vec::new());
    while level.len() > 1 {
        match level.get(place ^ 1) {
            Some(left) if place % 2 == 1 => path.push(Step::Left(*left)),
            Some(right) => path.push(Step::Right(*right)),
            // The odd one goes up as it is.
            None => {}
        }
        (level, place) = (above(&level), place / 2);
    }
    Some(path)
}

fn sorted(leaves: &[Leaf]) -> Vec<Hash> {
    let mut leaves: Vec<&Leaf> = leaves.iter().collect();
    leaves.sort();
    leaves.into_iter().map(Leaf::hash).collect()
}

fn above(level: &[Hash]) -> Vec<Hash> {
    level.chunks(2).map(|pair| pair.get(1).map_or(pair[0], |right| node(&pair[0], right))).collect()
}

impl Covering {
    /// What is wrong with it as a proof that this incident's event `seq` had this hash; `None` when it proves it.
    pub fn wrong(&self, leaf: &Leaf, key: &PublicKey) -> Option<&'static str> {
        let value = serde_json::to_value(&self.anchor).unwrap_or_default();
        if self.anchor.format != FORMAT {
            return Some("it is of a kind this program does not know");
        }
        if !signed(&value, &self.signature, key) {
            return Some("its signature is not that of the key");
        }
        let root = self.path.iter().fold(leaf.hash(), |below, step| match step {
            Step::Left(left) => node(left, &below),
            Step::Right(right) => node(&below, right),
        });
        (root != self.anchor.root).then_some("it does not cover this incident's events as they are here")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn leaf(number: usize) -> Leaf {
        Leaf { incident: format!("inc_{number:03}").into(), seq: number as u64, head: Hash::of(&[&[number as u8]]) }
    }

    #[test]
    fn the_root_is_that_of_the_standard() {
        let [a, b, c] = [0, 1, 2].map(|number| leaf(number).hash());
        assert_eq!(root(&[leaf(2), leaf(0), leaf(1)]), node(&node(&a, &b), &c));
        // RFC 6962, 2.1: the tree without leaves.
        assert!(root(&[]).to_string().starts_with("e3b0c442"));
    }

    proptest! {
        #[test]
        fn every_leaf_is_proved_and_no_other(count in 1..40usize, which in 0..40usize, other in 0..40usize) {
            let leaves: Vec<Leaf> = (0..count).map(leaf).collect();
            let which = which % count;
            let climb = |leaf: &Leaf, path: &[Step]| path.iter().fold(leaf.hash(), |below, step| match step {
                Step::Left(left) => node(left, &below),
                Step::Right(right) => node(&below, right),
            });
            let path = path(&leaves, &leaves[which].incident).unwrap();
            prop_assert_eq!(climb(&leaves[which], &path), root(&leaves));
            prop_assert_eq!(climb(&leaf(other), &path) == root(&leaves), other == which);
        }
    }
}
