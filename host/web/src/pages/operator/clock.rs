use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use crate::App;
use crate::pages::failed::{Failed, page, refused, see};
use crate::pages::sent::Sent;
use crate::pages::view::operator::Clock;
use crate::pages::view::{Cell, Facts, Field, Form, Kind, When};
use crate::pages::visit::Operator;

const HOURS_MAX: i64 = 366 * 24;
const HOUR_MS: i64 = 3_600_000;

/// `GET /operator/clock`
pub(super) async fn show(State(app): State<App>, operator: Operator) -> Result<Response, Failed> {
    page(&clock(&app, &operator, "24", None)?)
}

fn clock(
    app: &App,
    operator: &Operator,
    hours: &str,
    wrong: Option<String>,
) -> Result<Clock, Failed> {
    if !app.config.sandbox || app.sandbox_clock.is_none() {
        return Err(Failed::not_found(
            "this host's clock does not move by request",
        ));
    }
    let now = app.env.now();
    Ok(Clock {
        shell: operator.visit.operator_page(app, "Sandbox clock", "/clock"),
        facts: Facts::new()
            .with("Now", Cell::When(When(now)))
            .with("Day", Cell::text(now.day().to_string())),
        form: Form::new(
            "clock",
            "/operator/clock",
            operator.visit.csrf(),
            "Move the clock",
        )
        .field(
            Field::new("hours", "Forward by", Kind::Decimal("hours".to_owned()))
                .value(hours)
                .error(wrong),
        ),
    })
}

#[derive(Default, Deserialize)]
pub(super) struct Advance {
    #[serde(default)]
    hours: String,
}

/// `POST /operator/clock`
pub(super) async fn advance(
    State(app): State<App>,
    operator: Operator,
    Sent(Advance { hours }): Sent<Advance>,
) -> Result<Response, Failed> {
    let view = clock(&app, &operator, &hours, None)?;
    let Some(clock) = &app.sandbox_clock else {
        return page(&view);
    };
    match hours.trim().parse::<i64>() {
        Ok(hours) if (1..=HOURS_MAX).contains(&hours) => {
            clock.advance_millis(hours * HOUR_MS);
            see("/operator/clock?note=clock-moved")
        }
        Ok(_) | Err(_) => {
            let wrong = Some(format!("Whole hours, 1 to {HOURS_MAX}."));
            refused(&self::clock(&app, &operator, &hours, wrong)?)
        }
    }
}
