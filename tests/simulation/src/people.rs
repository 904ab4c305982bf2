//! Who asks for what: people, institutions' servers, the saga, a bank, and those
//! who get it wrong.

use qiao_model::{
    Channel, Currency, Day, Env, InstitutionId, PaymentId, ProductId, Timestamp, UserId,
};

use crate::ask::{Ask, BankAsk, BankPurpose, Deal, Key, Permission, Place, Sent, Told, Units};
use crate::banks::channels;
use crate::chance::Chance;

const INSTITUTIONS: u128 = 2;
const PRODUCTS: u128 = 2;
/// One more than a payment may have.
const SPLITS_MAX: i64 = 51;
/// Minutes after which a hold with an end ends.
const HOLD_MINUTES_MAX: i64 = 90;
const MINUTE_MS: i64 = 60_000;

/// Something that somebody wants done, however often they must ask.
#[derive(Clone, Debug)]
pub(crate) struct Errand {
    ask: Ask,
    /// Keyed callers get a fresh payment id from the door each time they ask;
    /// the saga carries its own and has no key.
    key: Option<Key>,
    pub(crate) told: Option<Told>,
    pub(crate) asked_at: i64,
}

impl Errand {
    /// The key is so old that the host may have forgotten its answer, too.
    pub(crate) fn forget(&mut self) {
        // A transfer at a bank is known by its key for good.
        if !matches!(self.ask, Ask::Bank(_)) {
            self.key = None;
        }
    }
}

/// Everybody outside the host.
#[derive(Debug)]
pub(crate) struct People {
    env: Env,
    pub(crate) errands: Vec<Errand>,
    /// Payments that somebody heard of: what can be captured, voided, refunded.
    known: Vec<Known>,
    /// What somebody heard that it was given.
    given: Vec<Permission>,
    users: Vec<UserId>,
    keys: u64,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    payment: PaymentId,
    minor: i64,
    is_held: bool,
    is_to_bank: bool,
}

impl People {
    pub(crate) fn new(env: Env, users: Vec<UserId>) -> Self {
        Self {
            env,
            errands: Vec::new(),
            known: Vec::new(),
            given: Vec::new(),
            users,
            keys: 0,
        }
    }

    /// A new errand; gives its number.
    pub(crate) fn think(&mut self, chance: &mut Chance, now: Timestamp) -> usize {
        let (ask, key) = match chance.below(100) {
            _ if chance.one_in(20) => (self.permit(chance, now), None),
            _ if chance.one_in(9) => self.at_a_bank(chance),
            0..=4 if !self.errands.is_empty() => self.reuse_a_key(chance, now),
            0..=59 => {
                let ask = self.new_ask(chance, now);
                (ask, Some(self.new_key(chance)))
            }
            _ => (self.new_ask(chance, now), None),
        };
        self.errands.push(Errand {
            ask,
            key,
            told: None,
            asked_at: i64::MIN,
        });
        self.errands.len() - 1
    }

    /// The request of an errand, as it is sent this time.
    pub(crate) fn request(&mut self, errand: usize, now: Timestamp) -> Sent {
        let env = self.env.clone();
        let errand = &mut self.errands[errand];
        errand.asked_at = now.as_millis();
        let mut ask = errand.ask.clone();
        if errand.key.is_some() {
            match &mut ask {
                Ask::TopUp { payment, .. } => *payment = env.id(),
                Ask::Hold(deal) | Ask::Pay(deal) | Ask::Charge { deal, .. } => {
                    deal.payment = env.id();
                }
                Ask::Recover { payment, .. } => *payment = env.id(),
                Ask::Refund { refund, .. } => *refund = env.id(),
                Ask::Give(_)
                | Ask::Bank(_)
                | Ask::Revoke { .. }
                | Ask::Capture { .. }
                | Ask::Void { .. }
                | Ask::Expire { .. }
                | Ask::Credit { .. } => {}
            }
        }
        Sent {
            ask,
            key: errand.key.clone(),
        }
    }

    /// Hears an answer. Who asked under a key hears the same each time.
    pub(crate) fn hear(&mut self, errand: usize, told: &Told) -> Result<(), String> {
        let errand = &mut self.errands[errand];
        match &errand.told {
            None => errand.told = Some(told.clone()),
            // Who had too little for a bank may have enough when it arrives again.
            Some(before) if matches!(errand.ask, Ask::Bank(_)) => {
                let transfers = [before, told].map(|told| matches!(told, Told::Transfer(_)));
                return match transfers == [true, true] && before != told {
                    true => Err(format!("{before:?} is now {told:?}")),
                    false => Ok(()),
                };
            }
            Some(before) if before != told && before.is_final() && errand.key.is_some() => {
                return Err(format!(
                    "{:?} was answered {before:?} and then {told:?}",
                    errand.key
                ));
            }
            Some(_) => return Ok(()),
        }
        if let (Told::Mandate { .. }, Ask::Give(permission)) = (told, &errand.ask) {
            self.given.push(permission.clone());
        }
        if let (
            Told::Payment(standing),
            Ask::Hold(deal) | Ask::Pay(deal) | Ask::Charge { deal, .. },
        ) = (told, &errand.ask)
        {
            self.known.push(Known {
                payment: standing.payment,
                minor: deal.minor,
                is_held: standing.state == "held",
                is_to_bank: matches!(deal.splits.first(), Some((Place::Bank(_), _))),
            });
        }
        Ok(())
    }

    fn new_key(&mut self, chance: &mut Chance) -> Key {
        self.keys += 1;
        Key {
            owner: format!("client {}", chance.below(3)),
            key: format!("key {}", self.keys),
            request: format!("request {}", self.keys),
        }
    }

    /// A key that was used, with another request or, rarely, from another owner.
    fn reuse_a_key(&self, chance: &mut Chance, now: Timestamp) -> (Ask, Option<Key>) {
        let used = &self.errands[chance.index(self.errands.len())];
        let ask = self.new_ask(chance, now);
        // A bank's keys are not those of payments.
        let key = used.key.clone().filter(|_| !used.ask.is_alone());
        let key = key.map(|key| {
            if chance.one_in(4) {
                Key {
                    owner: "somebody else".to_owned(),
                    ..key
                }
            } else {
                Key {
                    request: format!("{} changed", key.request),
                    ..key
                }
            }
        });
        (ask, key)
    }

    fn new_ask(&self, chance: &mut Chance, now: Timestamp) -> Ask {
        match chance.below(100) {
            0..=15 => Ask::TopUp {
                payment: self.env.id(),
                user: self.user(chance),
                minor: amount(chance, 200_000),
            },
            16..=32 => Ask::Hold(self.deal(chance, now, true)),
            33..=45 => Ask::Pay(self.deal(chance, now, false)),
            46..=59 => self.resolution(chance),
            60..=71 => self.refund(chance),
            72..=75 => self.credit(chance, now),
            76..=79 => self.recovery(chance),
            80..=97 => self.charge(chance, now),
            _ => Ask::Void {
                payment: PaymentId::from_u128(u128::from(chance.below(3))),
            },
        }
    }

    /// Money from a bank or to one: a person's under a key, an institution's by its id.
    fn at_a_bank(&mut self, chance: &mut Chance) -> (Ask, Option<Key>) {
        let purpose = chance.pick(&[
            BankPurpose::TopUp,
            BankPurpose::TopUp,
            BankPurpose::PayIn,
            BankPurpose::Withdraw,
            BankPurpose::Withdraw,
            BankPurpose::PayOut,
        ]);
        let is_payout = purpose == BankPurpose::PayOut;
        let is_named = purpose == BankPurpose::PayIn || (!is_payout && chance.one_in(2));
        let ask = BankAsk {
            transfer: self.env.id(),
            purpose,
            who: match is_payout {
                true => Place::Settlement(institution(chance)),
                false => Place::User(self.user(chance)),
            },
            bank: is_named.then(|| chance.pick(&channels())),
            // As much as every bank carries, and more than any takes for itself.
            minor: 1_000 + amount(chance, 30_000),
        };
        let key = (!is_payout).then(|| self.new_key(chance));
        (Ask::Bank(ask), key)
    }

    /// Takes what somebody owes since a refund, whether or not anybody does.
    fn recovery(&self, chance: &mut Chance) -> Ask {
        let institution = institution(chance);
        Ask::Recover {
            payment: self.env.id(),
            institution,
            from: chance.pick(&[Place::Revenue(institution), Place::Settlement(institution)]),
        }
    }

    /// Somebody allows something, or takes it back; now and then what is not theirs.
    fn permit(&self, chance: &mut Chance, now: Timestamp) -> Ask {
        if chance.one_in(6) && !self.given.is_empty() {
            let given = &self.given[chance.index(self.given.len())];
            let is_own = !chance.one_in(5);
            return Ask::Revoke {
                mandate: given.mandate,
                user: if is_own {
                    given.user
                } else {
                    self.user(chance)
                },
            };
        }
        let institution = institution(chance);
        let product = product(chance);
        let limit = |chance: &mut Chance, most| (!chance.one_in(3)).then(|| amount(chance, most));
        let minutes = match chance.below(4) {
            0 => chance.between(0, 90),
            _ => chance.between(1, 90 * 24 * 60),
        };
        Ask::Give(Permission {
            mandate: self.env.id(),
            user: self.user(chance),
            institution,
            per_payment: amount(chance, 20_000),
            per_day: limit(chance, 30_000),
            per_month: limit(chance, 60_000),
            count: (!chance.one_in(3)).then(|| u32::try_from(chance.below(6)).unwrap_or(0)),
            payees: vec![institution],
            products: if chance.one_in(2) {
                vec![product]
            } else {
                Vec::new()
            },
            expires_at: now.plus_millis(minutes * MINUTE_MS),
        })
    }

    /// A payment that nobody is asked about: mostly as allowed, and often at the limit.
    fn charge(&self, chance: &mut Chance, now: Timestamp) -> Ask {
        let is_hold = chance.one_in(2);
        let mut deal = self.deal(chance, now, is_hold);
        let is_held = deal.expires_at.is_some() || chance.one_in(2);
        if self.given.is_empty() {
            deal.mandate = Some(self.env.id());
            return Ask::Pay(deal);
        }
        let recent = self.given.len().saturating_sub(3);
        let given = &self.given[recent + chance.index(self.given.len() - recent)];
        let most = given.per_payment;
        let minor = match chance.below(6) {
            0 => most,
            1 => most + 1,
            _ => chance.between(1, most),
        };
        deal.mandate = Some(given.mandate);
        if !chance.one_in(12) {
            deal.payer = Place::User(given.user);
        }
        if !chance.one_in(12) {
            deal.institution = given.institution;
        }
        let fee = minor / chance.between(50, 500);
        deal.minor = minor;
        deal.splits = vec![
            (Place::Settlement(deal.institution), minor - fee),
            (Place::Revenue(deal.institution), fee),
        ];
        deal.units.clear();
        let product = match given.products.first() {
            Some(product) if !chance.one_in(12) => Some(*product),
            _ => chance.one_in(2).then(|| product(chance)),
        };
        match chance.below(20) {
            0 => Ask::Pay(deal),
            1 => Ask::Hold(deal),
            _ => Ask::Charge {
                deal,
                product,
                is_held,
            },
        }
    }

    /// What a saga or a bank says of a hold: mostly once and right, sometimes
    /// late, twice, too much or the contrary.
    fn resolution(&self, chance: &mut Chance) -> Ask {
        let Some(known) = self.some_payment(chance, |known| known.is_held) else {
            return Ask::Expire {
                payment: self.env.id(),
            };
        };
        let payment = known.payment;
        match chance.below(10) {
            0..=3 => Ask::Capture {
                payment,
                minor: None,
            },
            4..=6 if !known.is_to_bank => Ask::Capture {
                payment,
                minor: Some(chance.between(0, known.minor + 1)),
            },
            4..=7 => Ask::Void { payment },
            _ => Ask::Expire { payment },
        }
    }

    fn refund(&self, chance: &mut Chance) -> Ask {
        let refund = self.env.id();
        let known = self.some_payment(chance, |_| true);
        let (payment, most) =
            known.map_or((self.env.id(), 1), |known| (known.payment, known.minor));
        let minor = match chance.below(6) {
            0 => most,
            1 => most + 1,
            2 => 0,
            _ => chance.between(1, (most / 2).max(1)),
        };
        Ask::Refund {
            refund,
            payment,
            minor,
        }
    }

    /// Mostly one of the last, since the others have their end.
    fn some_payment(
        &self,
        chance: &mut Chance,
        is_wanted: impl Fn(&Known) -> bool,
    ) -> Option<Known> {
        let wanted: Vec<Known> = self.known.iter().copied().filter(is_wanted).collect();
        if wanted.is_empty() {
            return None;
        }
        let recent = wanted.len().saturating_sub(6);
        let from = if chance.one_in(5) { 0 } else { recent };
        Some(wanted[from + chance.index(wanted.len() - from)])
    }

    fn deal(&self, chance: &mut Chance, now: Timestamp, is_hold: bool) -> Deal {
        let payment = self.env.id();
        let institution = institution(chance);
        let (payer, splits) = match chance.below(10) {
            0..=5 => (
                Place::User(self.user(chance)),
                purchase(chance, institution),
            ),
            6 => (Place::User(self.user(chance)), withdrawal(chance)),
            7 => (
                Place::Bank(bank(chance)),
                vec![(Place::User(self.user(chance)), amount(chance, 100_000))],
            ),
            8 => (
                Place::Settlement(institution),
                vec![(Place::User(self.user(chance)), amount(chance, 30_000))],
            ),
            _ => (Place::User(self.user(chance)), many(chance, institution)),
        };
        let minor: i64 = splits.iter().map(|(_, minor)| minor).sum();
        let units = if chance.one_in(3) {
            vec![self.units(chance, payer)]
        } else {
            Vec::new()
        };
        let expires = is_hold && chance.one_in(2);
        let ends = now.plus_millis(chance.between(-1, HOLD_MINUTES_MAX) * MINUTE_MS);
        Deal {
            payment,
            institution,
            mandate: None,
            payer,
            currency: Currency::CNY,
            // One in forty does not sum up.
            minor: minor + i64::from(chance.one_in(40)),
            splits,
            units,
            expires_at: expires.then_some(ends),
        }
    }

    fn user(&self, chance: &mut Chance) -> UserId {
        chance.pick(&self.users)
    }

    fn units(&self, chance: &mut Chance, payer: Place) -> Units {
        let holder = match payer {
            Place::User(user) => Place::Holding(user),
            _ => Place::Holding(self.user(chance)),
        };
        let ends = [holder, Place::Issuance];
        let is_bought = !chance.one_in(3);
        Units {
            from: ends[usize::from(is_bought)],
            to: ends[usize::from(!is_bought)],
            product: product(chance),
            minor: amount(chance, 20_000),
        }
    }

    fn credit(&self, chance: &mut Chance, now: Timestamp) -> Ask {
        let day: Day = now.day().plus_days(-chance.between(0, 2));
        let first = chance.index(self.users.len());
        let lines = self.users[first..].iter();
        Ask::Credit {
            day,
            lines: lines.map(|user| (*user, chance.between(0, 90))).collect(),
            product: ProductId::from_u128(200),
        }
    }
}

fn institution(chance: &mut Chance) -> InstitutionId {
    InstitutionId::from_u128(u128::from(chance.below(64)) % INSTITUTIONS + 100)
}

fn product(chance: &mut Chance) -> ProductId {
    ProductId::from_u128(u128::from(chance.below(64)) % PRODUCTS + 200)
}

fn bank(chance: &mut Chance) -> Channel {
    let code = chance.pick(&["north", "south"]);
    code.parse().unwrap_or(Channel::SANDBOX)
}

/// Mostly small and crooked, now and then round or large.
fn amount(chance: &mut Chance, most: i64) -> i64 {
    match chance.below(8) {
        0 => 1,
        1 => most,
        2 => (chance.between(100, most) / 100) * 100,
        _ => chance.between(1, most / 4),
    }
}

/// Principal, a fee and the platform's part, which may be nothing.
fn purchase(chance: &mut Chance, institution: InstitutionId) -> Vec<(Place, i64)> {
    let principal = amount(chance, 120_000);
    vec![
        (Place::Settlement(institution), principal),
        (
            Place::Revenue(institution),
            principal * chance.between(0, 15) / 1_000,
        ),
        (Place::Platform, chance.between(0, 3)),
    ]
}

/// To a bank, with what its channel costs.
fn withdrawal(chance: &mut Chance) -> Vec<(Place, i64)> {
    let bank = bank(chance);
    vec![
        (Place::Bank(bank), amount(chance, 50_000)),
        (Place::Fees(bank), chance.between(0, 200)),
    ]
}

/// Many receivers, and sometimes one too many.
fn many(chance: &mut Chance, institution: InstitutionId) -> Vec<(Place, i64)> {
    let count = chance.between(1, SPLITS_MAX);
    let places = [
        Place::Settlement(institution),
        Place::Revenue(institution),
        Place::Platform,
    ];
    (0..count)
        .map(|_| (chance.pick(&places), chance.between(0, 300)))
        .collect()
}
