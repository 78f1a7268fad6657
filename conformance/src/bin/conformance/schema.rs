//! `conformance schema`: the JSON Schemas, printed or written.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use conformance::schema::Name;
use strum::VariantArray as _;

use super::{AS_EXPECTED, Problem, usage};

#[derive(Args)]
pub(super) struct SchemaArgs {
    /// Which schema is printed: driver, scenario, client or report; left out, their names
    name: Option<Name>,
    /// Writes all of them into this folder instead, each as NAME.schema.json
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    write: Option<PathBuf>,
}

pub(super) fn run(args: &SchemaArgs) -> Result<u8, Problem> {
    if let Some(folder) = &args.write {
        for name in Name::VARIANTS {
            let path = folder.join(name.file());
            std::fs::create_dir_all(folder)
                .and_then(|()| std::fs::write(&path, name.text()))
                .map_err(|error| usage(format!("--write {}: {error}", path.display())))?;
        }
        return Ok(AS_EXPECTED);
    }
    let text = match args.name {
        Some(name) => name.text(),
        None => Name::VARIANTS.iter().map(|name| format!("{}\n", name.as_str())).collect(),
    };
    // Whoever reads this may have seen enough of it.
    std::io::stdout().lock().write_all(text.as_bytes()).ok();
    Ok(AS_EXPECTED)
}
