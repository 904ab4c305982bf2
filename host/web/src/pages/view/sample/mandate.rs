use super::user::shell;
use super::{CSRF, Sample, cny, sample, when};
use crate::pages::text::Text;
use crate::pages::view::user::{
    Consent, ConsentState, Mandate, MandateRow, Mandates, Movement, ProposalRow,
};
use crate::pages::view::{
    Badge, Cell, Empty, Facts, Field, Form, Kind, Link, Locale, Notice, Paging, Tone,
};

fn limits(t: &Text) -> Facts {
    Facts::new()
        .with(t.mandate_per_payment, Cell::text("at most 200.00 CNY"))
        .with(t.mandate_per_month, Cell::text("at most 1,000.00 CNY"))
        .with(t.mandate_count, Cell::text("at most 12 times in all"))
        .with(t.mandate_until, Cell::text("2027-11-26"))
}

fn consent(locale: Locale, state: ConsentState) -> Consent {
    let t = Text::of(locale);
    Consent {
        shell: shell(locale, "Auto-invest", ""),
        title: "Auto-invest".to_owned(),
        institution: "West Lake Fund".to_owned(),
        product: "West Lake Money Market A".to_owned(),
        purpose: "Buys units for 200.00 every Monday.".to_owned(),
        limits: limits(t),
        facts: Facts::new().with("First purchase", Cell::text("2026-11-30")),
        state,
    }
}

fn mandates(filled: bool) -> Mandates {
    let t = Text::of(Locale::En);
    let row = |title: &str, tone, state: &str| MandateRow {
        link: Link::new("/mandates/x", title),
        institution: "West Lake Fund".to_owned(),
        at: when(4),
        state: Badge::new(tone, state),
        limit: "at most 200.00 CNY".to_owned(),
    };
    Mandates {
        shell: shell(Locale::En, t.mandates, "/wallet"),
        proposals: if filled {
            vec![ProposalRow {
                link: Link::new("/consent/x", "Membership"),
                institution: "West Lake Fund".to_owned(),
                at: when(5),
                limit: "at most 20.00 CNY".to_owned(),
            }]
        } else {
            Vec::new()
        },
        mandates: if filled {
            vec![
                row("Auto-invest", Tone::Good, t.mandate_active),
                row("Fines of 浙A·12345", Tone::Plain, t.mandate_revoked),
            ]
        } else {
            Vec::new()
        },
        empty: Empty::new(t.no_mandates, t.no_mandates_text),
        paging: Paging::default(),
    }
}

fn mandate(active: bool) -> Mandate {
    let t = Text::of(Locale::En);
    let charge = Movement {
        title: "Auto-invest".to_owned(),
        order: Some("/orders/x".to_owned()),
        at: when(5),
        detail: t.payment_posted.to_owned(),
        amount: cny(-20_000),
    };
    Mandate {
        shell: shell(Locale::En, "Auto-invest", "/wallet").back("/mandates", t.mandates),
        title: "Auto-invest".to_owned(),
        state: Badge::new(Tone::Good, t.mandate_active),
        purpose: "Buys units for 200.00 every Monday.".to_owned(),
        limits: limits(t),
        usage: Facts::new().with(t.mandate_used_count, Cell::text("1")),
        payments: if active { vec![charge] } else { Vec::new() },
        empty: Empty::new(t.nothing_charged, t.nothing_charged_text),
        revoke: active.then(|| Link::new("/mandates/x/revoke", t.revoke)),
    }
}

pub(super) fn samples() -> Vec<Sample> {
    let ready = |locale| {
        let t = Text::of(locale);
        let form = Form::new("consent", "/consent/x", CSRF, t.consent_allow)
            .cancel("/", t.cancel)
            .field(Field::new("pin", t.payment_pin, Kind::Pin));
        consent(locale, ConsentState::Ready(Box::new(form)))
    };
    let t = Text::of(Locale::En);
    let notice = Notice::new(Tone::Warning, t.offer_gone).link("/", t.go_home);
    let blocked = consent(Locale::En, ConsentState::Blocked(notice));
    vec![
        sample("user/consent.html", "ready", &ready(Locale::En)),
        sample("user/consent.html", "ready_zh", &ready(Locale::ZhCn)),
        sample("user/consent.html", "blocked", &blocked),
        sample("user/mandates.html", "full", &mandates(true)),
        sample("user/mandates.html", "empty", &mandates(false)),
        sample("user/mandate.html", "active", &mandate(true)),
        sample("user/mandate.html", "revoked", &mandate(false)),
    ]
}
