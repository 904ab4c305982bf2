//! The journal's form, without IO: what an entry says, and its hash.
//!
//! An entry is one committed batch: the facts of every row that it wrote. Its
//! hash covers the hash before it, so an entry cannot be changed, taken out or
//! put between others without changing every hash that follows.

use std::fmt;
use std::str::FromStr;

use qiao_db::attest::{Fact, RowDigest};
use sha2::{Digest, Sha256};

/// What a hash of the journal begins with, so that it is a hash of nothing else.
const DOMAIN: &[u8] = b"qiao journal entry 1";

/// A SHA-256 of the journal, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EntryHash([u8; 32]);

impl EntryHash {
    /// What the first entry of a chain follows.
    pub const NONE: Self = Self([0; 32]);
}

impl fmt::Display for EntryHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for EntryHash {
    type Err = MalformedHead;

    fn from_str(text: &str) -> Result<Self, MalformedHead> {
        let malformed = || MalformedHead(text.chars().take(80).collect());
        if text.len() != 64 || !text.is_ascii() {
            return Err(malformed());
        }
        let mut bytes = [0; 32];
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            let digits = std::str::from_utf8(digits).map_err(|_| malformed())?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| malformed())?;
        }
        Ok(Self(bytes))
    }
}

/// The last entry of a chain. Whoever notes it elsewhere can tell later that
/// nothing up to it was changed or taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// The chain.
    pub chain: i64,
    /// The number of its last entry; zero when it has none.
    pub seq: i64,
    /// That entry's hash.
    pub hash: EntryHash,
}

/// The text is not `chain:entry:hash`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the head of a journal: a chain, an entry and its hash, as 1:42:9f86…")]
pub struct MalformedHead(String);

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.chain, self.seq, self.hash)
    }
}

impl FromStr for Head {
    type Err = MalformedHead;

    fn from_str(text: &str) -> Result<Self, MalformedHead> {
        let malformed = || MalformedHead(text.chars().take(120).collect());
        let (chain, rest) = text.split_once(':').ok_or_else(malformed)?;
        let (seq, hash) = rest.split_once(':').ok_or_else(malformed)?;
        Ok(Self {
            chain: chain.parse().map_err(|_| malformed())?,
            seq: seq.parse().map_err(|_| malformed())?,
            hash: hash.parse()?,
        })
    }
}

/// One entry of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) chain: i64,
    pub(crate) seq: i64,
    pub(crate) previous: EntryHash,
    pub(crate) at: i64,
    /// The facts, as [`encode`] writes them.
    pub(crate) facts: Vec<u8>,
}

impl Entry {
    /// The entry that follows a head.
    pub(crate) fn after(head: &Head, facts: &[Fact], at: i64) -> Self {
        Self {
            chain: head.chain,
            seq: head.seq.saturating_add(1),
            previous: head.hash,
            at,
            facts: encode(facts),
        }
    }

    /// What the next entry must name as its previous hash.
    pub(crate) fn hash(&self) -> EntryHash {
        let mut hash = Sha256::new();
        hash.update(DOMAIN);
        hash.update(self.chain.to_be_bytes());
        hash.update(self.seq.to_be_bytes());
        hash.update(self.previous.0);
        hash.update(self.at.to_be_bytes());
        hash.update(&self.facts);
        EntryHash(hash.finalize().into())
    }
}

/// A fact as an entry says it, with the name of its rows as bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Said<'a> {
    pub(crate) name: &'a str,
    pub(crate) id: u128,
    pub(crate) before: Option<RowDigest>,
    pub(crate) digest: RowDigest,
}

/// Facts as bytes: runs of facts of one name, each with the length and the text of
/// the name, the number of facts, and of each the id, whether there was a row
/// before, that row's digest, and the digest.
pub(crate) fn encode(facts: &[Fact]) -> Vec<u8> {
    let mut out = Vec::with_capacity(facts.len().saturating_mul(49));
    for run in facts.chunk_by(|a, b| a.name == b.name) {
        let name = run[0].name.as_bytes();
        out.push(u8::try_from(name.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(&name[..name.len().min(usize::from(u8::MAX))]);
        out.extend_from_slice(&u32::try_from(run.len()).unwrap_or(u32::MAX).to_be_bytes());
        for fact in run {
            out.extend_from_slice(&fact.id.to_be_bytes());
            match &fact.before {
                None => out.push(0),
                Some(before) => {
                    out.push(1);
                    out.extend_from_slice(before.as_bytes());
                }
            }
            out.extend_from_slice(fact.digest.as_bytes());
        }
    }
    out
}

/// The facts of an entry; none when the bytes are not facts.
pub(crate) fn decode(mut bytes: &[u8]) -> Option<Vec<Said<'_>>> {
    let mut facts = Vec::new();
    while let Some((length, rest)) = bytes.split_first() {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let name = std::str::from_utf8(name).ok()?;
        let (count, rest) = rest.split_first_chunk::<4>()?;
        bytes = rest;
        for _ in 0..u32::from_be_bytes(*count) {
            let (id, rest) = bytes.split_first_chunk::<16>()?;
            let (has_before, rest) = rest.split_first()?;
            let (before, rest) = match has_before {
                0 => (None, rest),
                1 => {
                    let (before, rest) = rest.split_first_chunk::<32>()?;
                    (Some(RowDigest::from_bytes(*before)), rest)
                }
                _ => return None,
            };
            let (digest, rest) = rest.split_first_chunk::<32>()?;
            facts.push(Said {
                name,
                id: u128::from_be_bytes(*id),
                before,
                digest: RowDigest::from_bytes(*digest),
            });
            bytes = rest;
        }
    }
    Some(facts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fact(name: &'static str, id: u128, before: Option<u8>, digest: u8) -> Fact {
        let digest_of = |byte| RowDigest::from_bytes([byte; 32]);
        Fact {
            name,
            id,
            before: before.map(digest_of),
            digest: digest_of(digest),
        }
    }

    #[test]
    fn facts_survive_their_bytes() {
        let facts = [
            fact("ledger_transfer", 1, None, 1),
            fact("ledger_transfer", u128::MAX, None, 2),
            fact("payment", 3, Some(3), 4),
        ];
        let bytes = encode(&facts);
        let said = decode(&bytes).unwrap();
        assert_eq!(said.len(), facts.len());
        for (said, fact) in said.iter().zip(facts) {
            assert_eq!(said.name, fact.name);
            assert_eq!((said.id, said.before), (fact.id, fact.before));
            assert_eq!(said.digest, fact.digest);
        }
        assert_eq!(decode(&[]), Some(Vec::new()));
        for cut in 1..bytes.len() {
            let whole = decode(&bytes[..cut]).is_some_and(|said| said.len() == facts.len());
            assert!(!whole, "{cut} bytes are not all facts");
        }
    }

    #[test]
    fn every_part_of_an_entry_is_in_its_hash() {
        let head = Head {
            chain: 1,
            seq: 4,
            hash: EntryHash::NONE,
        };
        let entry = Entry::after(&head, &[fact("payment", 3, None, 4)], 9);
        assert_eq!(entry.seq, 5);
        let changed = [
            Entry {
                chain: 2,
                ..entry.clone()
            },
            Entry {
                seq: 6,
                ..entry.clone()
            },
            Entry {
                previous: entry.hash(),
                ..entry.clone()
            },
            Entry {
                at: 10,
                ..entry.clone()
            },
            Entry {
                facts: Vec::new(),
                ..entry.clone()
            },
        ];
        for other in changed {
            assert_ne!(other.hash(), entry.hash(), "{other:?}");
        }
    }

    #[test]
    fn a_head_survives_its_text() {
        let head = Head {
            chain: 2,
            seq: 7,
            hash: EntryHash([0xab; 32]),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        for text in [
            "",
            "1:2",
            "1:2:ab",
            "x:2:00",
            &format!("1:2:{}", "g".repeat(64)),
        ] {
            assert!(text.parse::<Head>().is_err(), "{text}");
        }
    }
}
