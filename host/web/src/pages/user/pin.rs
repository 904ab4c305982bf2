use axum::extract::{Query, State};
use axum::response::Response;
use qiao_auth::Error;
use qiao_model::Secret;
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::text::fill;
use crate::pages::view::user::Pin;
use crate::pages::view::{Field, Form, Kind};
use crate::pages::visit::{Person, Visit, own_path};

#[derive(Default, Deserialize)]
pub(super) struct NewPin {
    #[serde(default)]
    current: String,
    #[serde(default)]
    pin: String,
    repeat: Option<String>,
    #[serde(default)]
    next: String,
}

/// What is wrong, each in a sentence.
#[derive(Default)]
struct Wrong {
    current: Option<String>,
    pin: Option<String>,
    repeat: Option<String>,
}

/// `GET /pin`
pub(super) async fn show(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<NewPin>,
) -> Result<Response, Failed> {
    let has_pin = app.auth.has_pin(&person.permit).await?;
    page(&pin_page(
        &person.visit,
        has_pin,
        &asked.next,
        Wrong::default(),
    ))
}

fn pin_page(visit: &Visit, has_pin: bool, next: &str, wrong: Wrong) -> Pin {
    let t = visit.t();
    let (title, button) = if has_pin {
        (t.change_pin, t.change_pin)
    } else {
        (t.set_pin_title, t.set_pin_title)
    };
    let mut form = Form::new("pin", "/pin", visit.csrf(), button).hidden("next", next);
    if has_pin {
        form = form.field(Field::new("current", t.current_pin, Kind::Pin).error(wrong.current));
    }
    Pin {
        shell: visit.user_page(title, "").back("/me", t.my_account),
        form: form
            .field(Field::new("pin", t.new_pin, Kind::Pin).error(wrong.pin))
            .field(Field::new("repeat", t.repeat_pin, Kind::Pin).error(wrong.repeat)),
    }
}

/// `POST /pin`: a first PIN is set, a later one takes the current one.
pub(super) async fn save(
    State(app): State<App>,
    person: Person,
    Sent(sent): Sent<NewPin>,
) -> Result<Response, Failed> {
    let t = person.visit.t();
    let has_pin = app.auth.has_pin(&person.permit).await?;
    let again = |wrong| refused(&pin_page(&person.visit, has_pin, &sent.next, wrong));
    if sent
        .repeat
        .as_ref()
        .is_some_and(|repeat| *repeat != sent.pin)
    {
        return again(Wrong {
            repeat: Some(t.pin_differs.to_owned()),
            ..Wrong::default()
        });
    }
    let pin = Secret::new(sent.pin.clone());
    let saved = if has_pin {
        match app
            .auth
            .verify_pin(&person.permit, &Secret::new(sent.current.clone()))
            .await
        {
            Ok(proof) => app.auth.change_pin(&person.permit, proof, &pin).await,
            Err(error) => Err(error),
        }
    } else {
        app.auth.set_pin(&person.permit, &pin).await
    };
    let wrong = match saved {
        Ok(()) if sent.next.is_empty() => return see("/me?note=pin-saved"),
        Ok(()) => return see(own_path(&sent.next)),
        Err(Error::WeakPin) => Wrong {
            pin: Some(t.pin_rule.to_owned()),
            ..Wrong::default()
        },
        Err(Error::WrongPin { tries_left }) => Wrong {
            current: Some(fill(t.wrong_pin, &[&tries_left])),
            ..Wrong::default()
        },
        Err(Error::PinLocked { until }) => Wrong {
            current: Some(fill(t.pin_locked, &[&until.local()])),
            ..Wrong::default()
        },
        Err(error) => return Err(error.into()),
    };
    again(wrong)
}
