//! What an input costs in memory: an allocator that counts what its thread holds. The engine and what it tries run on one
//! thread, so that tests beside it don't count.
#![expect(
    unsafe_code,
    reason = "an allocator's methods are unsafe; both only count and hand on to the system's"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// Without a destructor, and made at compile time: to touch them allocates nothing.
thread_local! {
    static HELD: Cell<isize> = const { Cell::new(0) };
    static MOST: Cell<isize> = const { Cell::new(0) };
}

// SAFETY: the system's allocator does all the work, with the very arguments that came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        let given = unsafe { System.alloc(layout) };
        if !given.is_null() {
            count(layout.size().cast_signed());
        }
        given
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(-layout.size().cast_signed());
        // SAFETY: as above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

fn count(bytes: isize) {
    let held = HELD.with(|held| {
        held.set(held.get() + bytes);
        held.get()
    });
    MOST.with(|most| most.set(most.get().max(held)));
}

/// The most bytes that this thread held at once beyond what it held before, and what the work came to.
pub(crate) fn measured<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let before = HELD.with(Cell::get);
    MOST.with(|most| most.set(before));
    let done = work();
    (MOST.with(Cell::get).saturating_sub(before).unsigned_abs(), done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held_at_once_counts_and_what_was_given_back_does_not() {
        let (most, ()) = measured(|| (0..8).for_each(|_| drop(Vec::<u8>::with_capacity(1_000))));
        assert!((1_000..2_000).contains(&most), "{most}");
        let (most, _) = measured(|| (0..8).map(|_| Vec::<u8>::with_capacity(1_000)).collect::<Vec<_>>());
        assert!((8_000..10_000).contains(&most), "{most}");
    }
}
