//! Packed releases: what travels in one file, and what a component asks and offers.

#[cfg(test)]
mod component;
#[cfg(test)]
mod interface;
#[cfg(test)]
mod packing;
