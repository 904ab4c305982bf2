//! Packed releases: what travels in one file, and what a component asks and offers.

mod component;
mod interface;
mod packing;
