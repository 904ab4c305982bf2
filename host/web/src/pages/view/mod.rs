//! What each page shows: one struct per template, and the parts that pages are
//! made of.
//!
//! Invariants: nothing here asks a room (a view is filled by its handler and
//! imports `model` alone); only [`Form`] writes a `<form>`; no script and no
//! inline style (the Content-Security-Policy refuses both); every view has
//! samples, which a test renders and reads.

mod facts;
mod figure;
mod form;
mod icon;
mod shell;
mod table;

pub(crate) mod console;
pub(crate) mod operator;
pub(crate) mod staff;
pub(crate) mod user;

pub(crate) use facts::{Facts, Notice, Progress, Timeline};
pub(crate) use figure::{Badge, Figure, Tone, When};
pub(crate) use form::{Field, Form, Kind};
pub(crate) use icon::Icon;
pub(crate) use shell::{Confirm, Face, Failure, Locale, Shell, Visitor};
pub(crate) use table::{Cell, Empty, Link, Paging, Table};

#[cfg(test)]
pub(crate) mod sample;
