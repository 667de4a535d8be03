//! Seeds, and inputs that were found to fail: files, so that a found one is kept by copying it.

use std::fs;
use std::path::{Path, PathBuf};

fn home() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every seed of a target, by the order of their names.
pub(crate) fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = home().join("corpus").join(target);
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(|file| file.path()).collect();
    files.sort();
    files.iter().map(|file| fs::read(file).unwrap()).collect()
}

/// A sample of `events/`.
pub(crate) fn event(name: &str) -> Vec<u8> {
    fs::read(home().join("../../events").join(name)).unwrap()
}

/// Where an input that failed was put: a name of its own for each content, out of reach of Git.
pub(crate) fn keep(target: &str, input: &[u8]) -> std::io::Result<PathBuf> {
    use sha2::{Digest, Sha256};
    let folder = home().join("found").join(target);
    fs::create_dir_all(&folder)?;
    let name = hex::encode(Sha256::digest(input));
    let file = folder.join(&name[..16]);
    fs::write(&file, input)?;
    Ok(file)
}
