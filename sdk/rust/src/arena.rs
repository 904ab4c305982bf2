//! The arithmetic of the guest's allocator, apart from its memory so that it can be tested.

/// A range of addresses that is handed out from the front. Only the newest block
/// can be given back or resized: an instance lives for one call, and its memory
/// goes away with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arena {
    next: usize,
    end: usize,
}

impl Arena {
    /// The range from `start` to `end`.
    pub(crate) const fn new(start: usize, end: usize) -> Self {
        Self { next: start, end }
    }

    /// Whether no range was given yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.end == 0
    }

    /// The address of a new block; `None` when it does not fit. `align` is a power of two.
    pub(crate) fn allocate(&mut self, size: usize, align: usize) -> Option<usize> {
        let start = self.next.checked_add(align - 1)? & !(align - 1);
        let next = start.checked_add(size)?;
        if next > self.end {
            return None;
        }
        self.next = next;
        Some(start)
    }

    /// Gives a block back, if it is the newest.
    pub(crate) fn release(&mut self, start: usize, size: usize) {
        if start + size == self.next {
            self.next = start;
        }
    }

    /// Resizes a block where it stands, if it is the newest and the new size fits.
    pub(crate) fn resize(&mut self, start: usize, old_size: usize, new_size: usize) -> bool {
        if start + old_size != self.next {
            return new_size <= old_size;
        }
        match start.checked_add(new_size) {
            Some(next) if next <= self.end => {
                self.next = next;
                true
            }
            Some(_) | None => false,
        }
    }

    /// Takes more memory in. Memory right behind the range extends it; memory
    /// elsewhere replaces what is left of it.
    pub(crate) fn extend(&mut self, start: usize, end: usize) {
        if start != self.end {
            self.next = start;
        }
        self.end = end;
    }
}

#[cfg(test)]
mod tests {
    use super::Arena;

    #[test]
    fn an_arena_without_memory_gives_nothing_until_it_is_extended() {
        let mut arena = Arena::new(0, 0);
        assert!(arena.is_empty());
        assert_eq!(arena.allocate(1, 1), None);
        arena.extend(64, 128);
        assert!(!arena.is_empty());
        assert_eq!(arena.allocate(1, 1), Some(64));
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let mut arena = Arena::new(1, 100);
        assert_eq!(arena.allocate(3, 8), Some(8));
        assert_eq!(arena.allocate(1, 1), Some(11));
        assert_eq!(arena.allocate(4, 4), Some(12));
    }

    #[test]
    fn a_block_may_end_where_the_arena_ends_and_not_past_it() {
        let mut arena = Arena::new(16, 32);
        assert_eq!(arena.allocate(17, 1), None);
        assert_eq!(arena.allocate(16, 1), Some(16));
        assert_eq!(arena.allocate(1, 1), None);
    }

    #[test]
    fn only_the_newest_block_is_given_back() {
        let mut arena = Arena::new(16, 64);
        arena.allocate(8, 8);
        arena.allocate(8, 8);
        arena.release(16, 8);
        assert_eq!(arena.allocate(8, 8), Some(32));
        arena.release(32, 8);
        assert_eq!(arena.allocate(8, 8), Some(32));
    }

    #[test]
    fn the_newest_block_grows_where_it_stands() {
        let mut arena = Arena::new(16, 64);
        arena.allocate(8, 8);
        assert!(arena.resize(16, 8, 40));
        assert!(!arena.resize(16, 40, 49));
        assert_eq!(arena.allocate(8, 8), Some(56));
        assert!(!arena.resize(16, 40, 41));
        assert!(arena.resize(16, 40, 10));
    }

    #[test]
    fn a_size_that_overflows_is_refused() {
        let mut arena = Arena::new(16, 64);
        assert_eq!(arena.allocate(usize::MAX, 1), None);
        assert!(!arena.resize(16, 0, usize::MAX));
    }

    #[test]
    fn memory_behind_the_arena_extends_it_and_memory_elsewhere_replaces_it() {
        let mut arena = Arena::new(16, 32);
        arena.allocate(8, 8);
        arena.extend(32, 64);
        assert_eq!(arena.allocate(32, 8), Some(24));
        arena.extend(128, 256);
        assert_eq!(arena.allocate(8, 8), Some(128));
    }
}
