//! `sansim output`: what the programs of a run printed.

use sansim_run::{Output, outputs};

use crate::{PASS, USAGE, args::OutputArgs, show};

pub(crate) fn output(args: &OutputArgs) -> u8 {
    let programs = match outputs(&args.run) {
        Ok(programs) => programs,
        Err(error) => {
            let shown = args.run.display();
            show::error(&format!("{shown} is not the directory of a run: {error}"));
            return USAGE;
        }
    };
    let Some(step) = &args.step else {
        programs.iter().for_each(|program| outln!("{}", in_a_line(program)));
        return PASS;
    };
    match programs.iter().find(|program| program.name == *step) {
        Some(program) => {
            out!("{}", program.stdout);
            err!("{}", program.stderr);
            PASS
        }
        None => {
            let names: Vec<&str> = programs.iter().map(|program| &*program.name).collect();
            let there = match &names[..] {
                [] => "no step has run a program".to_owned(),
                names => format!("there are {}", names.join(", ")),
            };
            show::error(&format!("no program of a step {step:?} has ended in this run; {there}"));
            USAGE
        }
    }
}

/// For instance `   2.013s  ask  exit code 0, 120 bytes`.
fn in_a_line(program: &Output) -> String {
    let Output { t, name, code, killed_by, stdout, stderr } = program;
    let ended = match (code, killed_by) {
        (Some(code), _) => format!("exit code {code}"),
        (None, by) => format!("killed by {}", by.as_deref().unwrap_or("a signal")),
    };
    format!("{t:>9.3}s  {name}  {ended}, {} bytes", stdout.len() + stderr.len())
}
