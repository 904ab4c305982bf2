use std::sync::Arc;

use qiao_db::Tx;
use qiao_model::{Day, FeeScheduleId, ProductId};

use crate::catalog::Catalog;
use crate::error::Error;
use crate::fee::{AccruedFee, FeeForm, FeeLine};
use crate::store;

/// Versions of one product's fees at most.
pub const VERSIONS_MAX: u32 = 1_000;

/// One version of a product's fees. It never changes.
///
/// In force on a day is the newest version that begins on or before it: a
/// registration replaces everything older from its own day on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeeSchedule {
    /// Its id.
    pub id: FeeScheduleId,
    /// Whose fees.
    pub product: ProductId,
    /// 1, 2, 3 and so on.
    pub version: u32,
    /// The first day that it is in force.
    pub effective_from: Day,
    /// The fees of orders; none means none.
    pub lines: Vec<FeeLine>,
    /// The fees of every day; none means none.
    pub accrued: Vec<AccruedFee>,
}

impl FeeSchedule {
    /// Whether redemptions are charged by holding days, so that purchases leave lots.
    #[must_use]
    pub fn has_back_load(&self) -> bool {
        let is_back_load = |line: &FeeLine| matches!(line.form, FeeForm::BackLoad(_));
        self.lines.iter().any(is_back_load)
    }
}

/// What a registration of fees comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    /// The same fees are in force by then: no new version.
    Unchanged,
    /// The next version.
    Next {
        /// Its number.
        version: u32,
        /// Its first day.
        effective_from: Day,
    },
    /// Different fees from a day in the past, on which orders were quoted.
    InThePast(Day),
    /// As many versions as there may be.
    TooMany,
}

impl Registration {
    /// Compares with the newest version. The first may begin in the past: no
    /// order can have been quoted before it.
    pub(crate) fn of(
        newest: Option<&FeeSchedule>,
        (lines, accrued): (&[FeeLine], &[AccruedFee]),
        effective_from: Option<Day>,
        today: Day,
    ) -> Self {
        let effective_from = effective_from.unwrap_or(today);
        let Some(newest) = newest else {
            return Self::Next {
                version: 1,
                effective_from,
            };
        };
        let is_same = newest.lines == lines && newest.accrued == accrued;
        if is_same && newest.effective_from <= effective_from {
            Self::Unchanged
        } else if effective_from < today {
            Self::InThePast(effective_from)
        } else if newest.version >= VERSIONS_MAX {
            Self::TooMany
        } else {
            Self::Next {
                version: newest.version + 1,
                effective_from,
            }
        }
    }
}

/// One version of a product's fees as a transaction sees it; none when there is
/// none of that number.
///
/// # Errors
/// The database failed, or the row is not readable.
pub async fn stored_schedule(
    tx: &mut Tx,
    product: ProductId,
    version: u32,
) -> Result<Option<FeeSchedule>, qiao_db::Error> {
    store::schedule::find_in(tx, product, version).await
}

impl Catalog {
    /// The fees in force on a day.
    ///
    /// # Errors
    /// No such product, none in force yet, or the database failed.
    pub async fn schedule(&self, product: ProductId, on: Day) -> Result<Arc<FeeSchedule>, Error> {
        let versions = self.versions(product).await?;
        if versions.is_empty() {
            return Err(Error::UnknownProduct(product));
        }
        let none = Error::NoSchedule { product, day: on };
        let in_force = versions.iter().rfind(|(_, first_day)| *first_day <= on);
        let Some((version, _)) = in_force else {
            return Err(none);
        };
        self.schedule_version(product, *version).await?.ok_or(none)
    }

    /// One version of a product's fees.
    ///
    /// # Errors
    /// The database failed.
    pub async fn schedule_version(
        &self,
        product: ProductId,
        version: u32,
    ) -> Result<Option<Arc<FeeSchedule>>, Error> {
        let key = (product, version);
        if let Some(schedule) = self.inner.schedules.get(&key) {
            return Ok(Some(schedule));
        }
        let found = store::schedule::find(&self.inner.db, product, version).await?;
        let schedule = found.map(Arc::new);
        if let Some(schedule) = &schedule {
            self.inner.schedules.insert(key, Arc::clone(schedule));
        }
        Ok(schedule)
    }

    /// Every version of a product's fees, the oldest first.
    ///
    /// # Errors
    /// The database failed.
    pub async fn schedules(&self, product: ProductId) -> Result<Vec<FeeSchedule>, Error> {
        Ok(store::schedule::list_of(&self.inner.db, product).await?)
    }

    async fn versions(&self, product: ProductId) -> Result<Arc<Vec<(u32, Day)>>, Error> {
        let now = self.inner.env.now();
        if let Some(versions) = self.inner.versions.get(&product, now) {
            return Ok(versions);
        }
        let versions = Arc::new(store::schedule::versions(&self.inner.db, product).await?);
        if !versions.is_empty() {
            self.inner.versions.put(product, now, Arc::clone(&versions));
        }
        Ok(versions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::{Payer, Receiver, Share};
    use crate::order_kind::OrderKind;
    use qiao_model::{Rate, Rounding};

    fn day(day: i8) -> Day {
        Day::new(2026, 11, day).unwrap()
    }

    fn lines(fen: i64) -> Vec<FeeLine> {
        vec![FeeLine {
            code: "service".to_owned(),
            name: "Service fee".to_owned(),
            applies_to: OrderKind::Pay,
            payer: Payer::User,
            form: FeeForm::Flat(fen),
            minimum: None,
            maximum: None,
            band: None,
            monotone: false,
            rounding: Rounding::HalfUp,
            shares: vec![Share {
                receiver: Receiver::Platform,
                rate: Rate::ONE,
            }],
        }]
    }

    fn version(version: u32, effective_from: Day, fen: i64) -> FeeSchedule {
        FeeSchedule {
            id: FeeScheduleId::from_u128(1),
            product: ProductId::from_u128(1),
            version,
            effective_from,
            lines: lines(fen),
            accrued: Vec::new(),
        }
    }

    fn next(version: u32, effective_from: Day) -> Registration {
        Registration::Next {
            version,
            effective_from,
        }
    }

    #[test]
    fn the_first_version_may_begin_on_any_day() {
        for (asked, first_day) in [
            (None, day(10)),
            (Some(day(1)), day(1)),
            (Some(day(20)), day(20)),
        ] {
            let registration = Registration::of(None, (&lines(1), &[]), asked, day(10));
            assert_eq!(registration, next(1, first_day));
        }
    }

    #[test]
    fn the_same_fees_again_make_no_version() {
        let newest = version(3, day(5), 1);
        for asked in [None, Some(day(5)), Some(day(10)), Some(day(20))] {
            let registration = Registration::of(Some(&newest), (&lines(1), &[]), asked, day(10));
            assert_eq!(registration, Registration::Unchanged);
        }
    }

    #[test]
    fn other_fees_are_the_next_version_from_today_on_at_the_earliest() {
        let newest = version(3, day(5), 1);
        let of = |asked| Registration::of(Some(&newest), (&lines(2), &[]), asked, day(10));
        assert_eq!(of(None), next(4, day(10)));
        assert_eq!(of(Some(day(11))), next(4, day(11)));
        assert_eq!(of(Some(day(9))), Registration::InThePast(day(9)));
    }

    #[test]
    fn a_planned_version_can_be_brought_forward_and_called_off() {
        let planned = version(2, day(20), 2);
        let forward = Registration::of(Some(&planned), (&lines(2), &[]), Some(day(15)), day(10));
        assert_eq!(forward, next(3, day(15)));
        let called_off = Registration::of(Some(&planned), (&lines(1), &[]), None, day(10));
        assert_eq!(called_off, next(3, day(10)));
    }

    #[test]
    fn the_last_version_is_taken_and_one_more_is_refused() {
        let of = |newest: u32| {
            Registration::of(
                Some(&version(newest, day(5), 1)),
                (&lines(2), &[]),
                None,
                day(10),
            )
        };
        assert_eq!(of(VERSIONS_MAX - 1), next(VERSIONS_MAX, day(10)));
        assert_eq!(of(VERSIONS_MAX), Registration::TooMany);
    }
}
