//! The guest's global allocator: an arena in the initial memory.
//!
//! A guest that stays inside it never calls `memory.grow`, which makes an instance
//! several times cheaper for the host (9 µs instead of 17 to 93 µs, measured on
//! wasmtime 48 with two threads), because the host then protects no pages.

use std::alloc::{GlobalAlloc, Layout};
use std::arch::wasm32::{memory_grow, memory_size};
use std::cell::UnsafeCell;

use crate::arena::Arena;

/// What a call can allocate before the guest asks the host for more memory.
const ARENA_BYTES: usize = 256 * 1024;
/// What the guest asks for at least, past the arena.
const GROWTH_BYTES_MIN: usize = 1024 * 1024;
const WASM_PAGE_BYTES: usize = 64 * 1024;

/// Zeroed, so that it is part of the initial memory and not of the binary.
#[repr(align(16))]
struct InitialMemory(UnsafeCell<[u8; ARENA_BYTES]>);

struct ArenaAllocator(UnsafeCell<Arena>);

static INITIAL_MEMORY: InitialMemory = InitialMemory(UnsafeCell::new([0; ARENA_BYTES]));

#[global_allocator]
static ALLOCATOR: ArenaAllocator = ArenaAllocator(UnsafeCell::new(Arena::new(0, 0)));

#[expect(
    unsafe_code,
    reason = "a plugin has one thread: the host runs guests without threads"
)]
unsafe impl Sync for InitialMemory {}

#[expect(
    unsafe_code,
    reason = "a plugin has one thread: the host runs guests without threads"
)]
unsafe impl Sync for ArenaAllocator {}

impl ArenaAllocator {
    fn with_arena<R>(&self, act: impl FnOnce(&mut Arena) -> R) -> R {
        #[expect(
            unsafe_code,
            reason = "one thread, and `act` never allocates: no second borrow"
        )]
        let arena = unsafe { &mut *self.0.get() };
        if arena.is_empty() {
            let start = INITIAL_MEMORY.0.get() as usize;
            *arena = Arena::new(start, start + ARENA_BYTES);
        }
        act(arena)
    }
}

/// Asks the host for at least `size` bytes; `None` when it refuses.
fn grow(size: usize) -> Option<(usize, usize)> {
    let pages = size.max(GROWTH_BYTES_MIN).div_ceil(WASM_PAGE_BYTES);
    let pages_before = memory_grow::<0>(pages);
    if pages_before == usize::MAX {
        return None;
    }
    let start = pages_before * WASM_PAGE_BYTES;
    Some((start, memory_size::<0>().saturating_mul(WASM_PAGE_BYTES)))
}

#[expect(
    unsafe_code,
    reason = "the one allocator; blocks come from memory that nobody else has"
)]
unsafe impl GlobalAlloc for ArenaAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.with_arena(|arena| {
            if let Some(start) = arena.allocate(layout.size(), layout.align()) {
                return start as *mut u8;
            }
            let Some(size) = layout.size().checked_add(layout.align()) else {
                return std::ptr::null_mut();
            };
            let Some((start, end)) = grow(size) else {
                return std::ptr::null_mut();
            };
            arena.extend(start, end);
            arena
                .allocate(layout.size(), layout.align())
                .map_or(std::ptr::null_mut(), |start| start as *mut u8)
        })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        self.with_arena(|arena| arena.release(block as usize, layout.size()));
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        if self.with_arena(|arena| arena.resize(block as usize, layout.size(), new_size)) {
            return block;
        }
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                std::ptr::copy_nonoverlapping(block, new, layout.size().min(new_size));
            }
            new
        }
    }
}
