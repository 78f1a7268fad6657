//! `conformance schema`: the JSON Schemas, printed or written.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use conformance::schema::Name;
use strum::VariantArray as _;

use conformance::exit::Exit;

use crate::exit::{Problem, harness};

pub(crate) const EXAMPLES: &str = "\
Examples:
  conformance schema scenario > scenario.schema.json
  conformance schema --write conformance/schemas";

#[derive(Args)]
pub(crate) struct SchemaArgs {
    /// Which schema is printed: driver, scenario, client, report or bundle; left out, their names
    name: Option<Name>,
    /// Writes all of them into this folder instead, each as NAME.schema.json
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    write: Option<PathBuf>,
}

pub(crate) fn run(args: &SchemaArgs) -> Result<Exit, Problem> {
    if let Some(folder) = &args.write {
        for name in Name::VARIANTS {
            let path = folder.join(name.file());
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, name.text()))
                .map_err(|error| harness(format!("--write {}: {error}", path.display())))?;
        }
        return Ok(Exit::AsExpected);
    }
    let text = match args.name {
        Some(name) => name.text(),
        None => Name::VARIANTS.iter().map(|name| format!("{}\n", name.as_str())).collect(),
    };
    // Whoever reads this may have seen enough of it.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
    Ok(Exit::AsExpected)
}
