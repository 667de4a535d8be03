//! Rewrites the sources below a folder so that each mutant that cargo-mutants knows is there, behind a switch:
//! `weave <mutants.json> <left-out.json> <folder>`. Tells which of them it could put there, by their places in the list.

mod mutant;
mod weaver;

use anyhow::{Context, Result};
use mutant::{LeftOut, Mutant, Mutants};
use quote::ToTokens;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use weaver::Weaver;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [mutants, left_out, folder] = &arguments[..] else {
        anyhow::bail!("weave <mutants.json> <left-out.json> <folder>");
    };
    let all: Vec<Mutant> = serde_json::from_str(&fs::read_to_string(mutants)?)?;
    let left_out: LeftOut = serde_json::from_str(&fs::read_to_string(left_out)?)?;
    let mut files: BTreeMap<&str, Mutants> = BTreeMap::new();
    for (id, mutant) in all.iter().enumerate() {
        let file = files.entry(&mutant.file).or_default();
        if !left_out.mutants.contains(&id) {
            file.add(id, mutant);
        }
    }
    let mut woven = BTreeSet::new();
    for (file, mutants) in &files {
        let path = Path::new(folder).join(file);
        let mut tree = syn::parse_file(&fs::read_to_string(&path)?).with_context(|| file.to_string())?;
        woven.extend(Weaver::weave(mutants, &left_out.functions, &mut tree));
        fs::write(&path, tree.into_token_stream().to_string())?;
    }
    println!("{}", serde_json::to_string(&woven)?);
    Ok(())
}
