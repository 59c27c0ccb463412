//! `coverage.ndjson`: the coverage for programs, a JSON object a line.
//!
//! | `kind` | keys |
//! |---|---|
//! | `image` | `image`, `kernel`, `runs`, `lost` |
//! | `module` | `image`, `module`, `build_id`, `executed`, `blocks`: numbers of blocks |
//! | `function` | `image`, `module`, `function`, `executed`, `blocks` |
//! | `block` | `image`, `module`, and the keys of [`BlockCoverage`] |
//! | `line` | `image`, `module`, the keys of [`SourceLine`], `executed`, `blocks`, `shortest` |
//!
//! Images, build ids and blocks are all there is; the rest are sums of blocks, and not read again.

use serde::{Deserialize, Serialize};

use crate::{
    build_id::BuildId,
    coverage::{BlockCoverage, Count, Coverage, ImageCoverage, ModuleCoverage, Reached},
    debug::SourceLine,
};

/// A line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Record {
    Image {
        image: String,
        kernel: String,
        runs: u64,
        lost: u64,
    },
    Module {
        image: String,
        module: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        build_id: Option<BuildId>,
        executed: usize,
        blocks: usize,
    },
    Function {
        image: String,
        module: String,
        function: String,
        executed: usize,
        blocks: usize,
    },
    Block {
        image: String,
        module: String,
        #[serde(flatten)]
        block: BlockCoverage,
    },
    Line {
        image: String,
        module: String,
        #[serde(flatten)]
        at: SourceLine,
        executed: usize,
        blocks: usize,
        shortest: Option<Reached>,
    },
}

/// All lines.
pub fn write(coverage: &Coverage) -> String {
    let mut text = String::new();
    for (image, of_image) in &coverage.images {
        for line in of_one_image(image, of_image) {
            // Plain data can be written.
            text.push_str(&serde_json::to_string(&line).unwrap_or_default());
            text.push('\n');
        }
    }
    text
}

fn of_one_image(image: &str, of_image: &ImageCoverage) -> Vec<Record> {
    let ImageCoverage { kernel, runs, lost, modules } = of_image;
    let image = image.to_owned();
    let head =
        Record::Image { image: image.clone(), kernel: kernel.clone(), runs: *runs, lost: *lost };
    let mut lines = vec![head];
    for (module, of_module) in modules {
        let (image, module) = (image.clone(), module.clone());
        let Count { executed, all: blocks } = Count::of(&of_module.blocks);
        lines.push(Record::Module {
            image: image.clone(),
            module: module.clone(),
            build_id: of_module.build_id.clone(),
            executed,
            blocks,
        });
        for function in of_module.functions() {
            let Count { executed, all: blocks } = Count::of(function);
            let (image, module) = (image.clone(), module.clone());
            let function = function.first().map(|block| block.function.clone()).unwrap_or_default();
            lines.push(Record::Function { image, module, function, executed, blocks });
        }
        lines.extend(of_module.blocks.iter().map(|block| Record::Block {
            image: image.clone(),
            module: module.clone(),
            block: block.clone(),
        }));
        lines.extend(of_module.lines().iter().map(|line| {
            let Count { executed, all: blocks } = line.count();
            let (image, module) = (image.clone(), module.clone());
            let (at, shortest) = (line.at.clone(), line.shortest().cloned());
            Record::Line { image, module, at, executed, blocks, shortest }
        }));
    }
    lines
}

/// Reads such lines.
///
/// # Errors
/// The number of the first line that is none, and why.
pub fn read(text: &str) -> Result<Coverage, String> {
    let mut coverage = Coverage::default();
    for (number, line) in text.lines().enumerate() {
        let wrong = |why: String| format!("line {}: {why}", number + 1);
        let line = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        take(&mut coverage, line).map_err(wrong)?;
    }
    Ok(coverage)
}

fn take(coverage: &mut Coverage, line: Record) -> Result<(), String> {
    match line {
        Record::Image { image, kernel, runs, lost } => {
            let of_image = ImageCoverage { kernel, runs, lost, ..ImageCoverage::default() };
            match coverage.images.insert(image.clone(), of_image) {
                None => Ok(()),
                Some(_) => Err(format!("the image {image} is there twice")),
            }
        }
        Record::Module { image, module, build_id, .. } => {
            of(coverage, &image, module)?.build_id = build_id;
            Ok(())
        }
        Record::Block { image, module, block } => {
            of(coverage, &image, module)?.blocks.push(block);
            Ok(())
        }
        Record::Function { .. } | Record::Line { .. } => Ok(()),
    }
}

fn of<'c>(
    coverage: &'c mut Coverage,
    image: &str,
    module: String,
) -> Result<&'c mut ModuleCoverage, String> {
    match coverage.images.get_mut(image) {
        Some(of_image) => Ok(of_image.modules.entry(module).or_default()),
        None => Err(format!("the image {image} is not there before its modules")),
    }
}
