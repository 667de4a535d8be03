//! Which code an input reached. LLVM's pass for it is in the stable compiler: `instrument.sh` asks for it, for the crates of
//! this workspace alone, and it gives each branch a counter. Without it there are none, and nothing is new.
#![expect(unsafe_code, reason = "the compiler hands over its counters as addresses")]

use std::sync::Mutex;

/// Where the counters are, and how many.
static COUNTERS: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());

/// Called by what the pass adds to each crate, before `main`, with where the counters begin and end. Each tells of all of them.
#[unsafe(no_mangle)]
extern "C" fn __sanitizer_cov_8bit_counters_init(start: *mut u8, stop: *mut u8) {
    let region = (start.expose_provenance(), stop.addr() - start.addr());
    let mut known = COUNTERS.lock().unwrap();
    if !known.contains(&region) {
        known.push(region);
    }
}

/// What was ever reached, by how often at once.
#[derive(Debug, Default)]
pub(crate) struct Reached(Vec<u8>);

impl Reached {
    /// Forgets what was counted until now: it isn't the next input's doing.
    pub(crate) fn begin() {
        drop(take());
    }

    /// Whether anything was reached since the beginning that never was, or never as often.
    pub(crate) fn is_new(&mut self) -> bool {
        let counted = take();
        self.0.resize(self.0.len().max(counted.len()), 0);
        let mut is_new = false;
        // Most are zero, and a build without optimisation has better to do than to look at each.
        for (counted, known) in counted.chunks(CHUNK).zip(self.0.chunks_mut(CHUNK)) {
            if counted == &ZEROES[..counted.len()] {
                continue;
            }
            for (count, known) in counted.iter().zip(known) {
                let class = class_of(*count);
                is_new |= *known & class != class;
                *known |= class;
            }
        }
        is_new
    }

    pub(crate) fn branches(&self) -> usize {
        self.0.iter().filter(|classes| **classes != 0).count()
    }
}

const CHUNK: usize = 256;
const ZEROES: [u8; CHUNK] = [0; CHUNK];

/// What was counted since it was last taken.
fn take() -> Vec<u8> {
    let known = COUNTERS.lock().unwrap();
    let mut counted = vec![0; known.iter().map(|(_, length)| length).sum()];
    let mut rest = counted.as_mut_slice();
    for (start, length) in known.iter() {
        let (part, others) = rest.split_at_mut(*length);
        let start = std::ptr::with_exposed_provenance_mut::<u8>(*start);
        // SAFETY: the pass has said that these bytes are counters for as long as the program is, and nobody counts while
        // none of our crates is at work.
        unsafe {
            start.copy_to_nonoverlapping(part.as_mut_ptr(), *length);
            start.write_bytes(0, *length);
        }
        rest = others;
    }
    counted
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
