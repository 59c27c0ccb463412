//! The JSON Schema of scenario files, for editors.

use schemars::generate::SchemaSettings;

use super::file::File;

/// The schema as pretty-printed JSON with a line end; `scenarios/schema.json` is this.
///
/// # Panics
/// Never: a schema is plain data.
pub fn schema() -> String {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let schema = generator.into_root_schema_for::<File>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is plain data");
    text.push('\n');
    text
}
