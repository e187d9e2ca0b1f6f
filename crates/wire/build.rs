//! Compiles the protocol with protox, so that no protoc is needed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

fn main() -> Result<(), Box<dyn Error>> {
    let proto = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../proto");
    let files = ["signed", "types", "gateway", "administration", "audit", "witness", "coordinator"]
        .map(|file| proto.join(format!("lango/v1/{file}.proto")));
    let descriptors = protox::compile(&files, [&proto])?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("lango.bin"), descriptors.encode_to_vec())?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    println!("cargo:rerun-if-changed={}", proto.display());
    Ok(())
}
