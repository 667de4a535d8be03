//! Which code an input reached. LLVM's pass for it is in the stable compiler: `instrument.sh` asks for it, for the crates of
//! this workspace alone, and it gives each branch a counter. Without it there are none, and nothing is new.
#![expect(unsafe_code, reason = "the compiler hands over its counters as addresses")]

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, Ordering};

static COUNTERS: Mutex<Vec<&'static [AtomicU8]>> = Mutex::new(Vec::new());

/// Called by what the pass adds to each crate, before `main`, with where the counters begin and end.
///
/// # Safety
/// Both are addresses of one array of bytes that is there for as long as the program is.
#[unsafe(no_mangle)]
unsafe extern "C" fn __sanitizer_cov_8bit_counters_init(start: *const AtomicU8, stop: *const AtomicU8) {
    // SAFETY: as said above; the length of an array is never negative.
    let counters = unsafe {
        let length = stop.offset_from(start).unsigned_abs();
        std::slice::from_raw_parts(start, length)
    };
    let mut known = COUNTERS.lock().unwrap();
    // Each crate tells of all of them.
    if known.iter().all(|one| one.as_ptr() != start) {
        known.push(counters);
    }
}

/// What was ever reached, by how often at once.
#[derive(Debug, Default)]
pub(crate) struct Reached(Vec<u8>);

impl Reached {
    /// Forgets what was counted until now: it isn't the next input's doing.
    pub(crate) fn begin() {
        counters(|_, counter| counter.store(0, Ordering::Relaxed));
    }

    /// Whether anything was reached since the beginning that never was, or never as often.
    pub(crate) fn is_new(&mut self) -> bool {
        let mut is_new = false;
        counters(|place, counter| {
            let class = class_of(counter.load(Ordering::Relaxed));
            if class != 0 {
                self.0.resize(self.0.len().max(place + 1), 0);
                is_new |= self.0[place] & class == 0;
                self.0[place] |= class;
            }
        });
        is_new
    }

    pub(crate) fn branches(&self) -> usize {
        self.0.iter().filter(|classes| **classes != 0).count()
    }
}

fn counters(mut each: impl FnMut(usize, &AtomicU8)) {
    let known = COUNTERS.lock().unwrap();
    known.iter().flat_map(|counters| counters.iter()).enumerate().for_each(|(place, one)| each(place, one));
}

/// A bit for each of eight classes, as other fuzzers have them: three times is news after two, a hundred after ninety isn't.
const fn class_of(count: u8) -> u8 {
    match count {
        0 => 0,
        1 => 1,
        2 => 2,
        3 => 4,
        4..=7 => 8,
        8..=15 => 16,
        16..=31 => 32,
        32..=127 => 64,
        128..=u8::MAX => 128,
    }
}
