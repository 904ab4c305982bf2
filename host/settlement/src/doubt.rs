use std::fmt::{self, Display, Formatter};

use qiao_model::{Channel, Day, Money};

use crate::custody::{ChannelCustody, CustodyCheck};

/// Why it is not proved that every yuan is at a custody account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The books owe something else than they say that banks keep.
    Books {
        /// What is owed, less what institutions owe themselves.
        owed: Money,
        /// What banks keep, by the books.
        kept: Money,
    },
    /// Money stands between two accounts.
    Clearing(Money),
    /// There is play money.
    PlayMoney(Money),
    /// The bank's statement of the newest closed day was not compared.
    NotCompared {
        /// Which bank.
        channel: Channel,
        /// Which day.
        day: Day,
        /// The last day that was compared.
        last: Option<Day>,
    },
    /// The bank kept something else than the books said when the day ended.
    Difference {
        /// Which bank.
        channel: Channel,
        /// Which day.
        day: Day,
        /// How much more the bank kept; less than zero when money is missing.
        difference: Money,
    },
    /// Differences that nobody has ended.
    OpenCases {
        /// Which bank.
        channel: Channel,
        /// How many.
        count: i64,
    },
    /// The bank says that it keeps something else now than the books and what is
    /// under way allow.
    BankDiffers {
        /// Which bank.
        channel: Channel,
        /// What it says.
        bank: Money,
        /// What the books say.
        books: Money,
    },
}

impl Display for Doubt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Books { owed, kept } => {
                write!(f, "the books owe {owed} and say that banks keep {kept}")
            }
            Self::Clearing(money) => write!(f, "{money} stand between two accounts"),
            Self::PlayMoney(money) => write!(f, "{money} are play money, which no bank keeps"),
            Self::NotCompared {
                channel,
                day,
                last: Some(last),
            } => write!(
                f,
                "{channel}'s statement of {day} is not compared yet; the last one was of {last}"
            ),
            Self::NotCompared {
                channel,
                day,
                last: None,
            } => write!(
                f,
                "no statement of {channel} was ever compared; the one of {day} is due"
            ),
            Self::Difference {
                channel,
                day,
                difference,
            } => write!(
                f,
                "{channel} kept {difference} more or less than the books said at the end of {day}"
            ),
            Self::OpenCases { channel, count } => {
                write!(f, "{channel} has {count} open differences")
            }
            Self::BankDiffers {
                channel,
                bank,
                books,
            } => write!(
                f,
                "{channel} says that it keeps {bank}, the books say {books}"
            ),
        }
    }
}

impl CustodyCheck {
    /// Why it is not proved that every yuan is at a custody account; nothing, when
    /// it is. A case explains a difference and takes away no doubt: money that is
    /// written off is missing all the same.
    #[must_use]
    pub fn doubts(&self) -> Vec<Doubt> {
        let money = |minor| Money::new(minor, self.currency);
        let mut doubts = Vec::new();
        let owed = self.owed_minor().saturating_add(self.receivables_minor);
        let kept = self.custody_minor();
        if owed != kept {
            let (owed, kept) = (money(owed), money(kept));
            doubts.push(Doubt::Books { owed, kept });
        }
        if self.clearing_minor != 0 {
            doubts.push(Doubt::Clearing(money(self.clearing_minor)));
        }
        if self.play_minor != 0 {
            doubts.push(Doubt::PlayMoney(money(self.play_minor)));
        }
        for channel in &self.channels {
            self.doubts_of(channel, &mut doubts);
        }
        doubts
    }

    fn doubts_of(&self, custody: &ChannelCustody, doubts: &mut Vec<Doubt>) {
        let money = |minor| Money::new(minor, self.currency);
        let channel = custody.channel;
        let last = custody.last_day.as_ref();
        if last.is_none_or(|last| last.run.day < self.closed) {
            doubts.push(Doubt::NotCompared {
                channel,
                day: self.closed,
                last: last.map(|last| last.run.day),
            });
        }
        let difference = last.map_or(0, crate::DayCheck::difference_minor);
        if let Some(last) = last.filter(|_| difference != 0) {
            doubts.push(Doubt::Difference {
                channel,
                day: last.run.day,
                difference: money(difference),
            });
        }
        if custody.open_cases != 0 {
            let count = custody.open_cases;
            doubts.push(Doubt::OpenCases { channel, count });
        }
        let books = custody.books_minor;
        let least = books.saturating_sub(custody.leaving_minor);
        let most = books.saturating_add(custody.coming_minor);
        if let Some(bank) = custody.bank_minor
            && !(least..=most).contains(&bank)
        {
            let (bank, books) = (money(bank), money(books));
            doubts.push(Doubt::BankDiffers {
                channel,
                bank,
                books,
            });
        }
    }
}
