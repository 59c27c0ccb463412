//! Finds out which code of a module marked code of the guest is, by its bytes.
//!
//! The kernel loads a module's code to one or two places, each at the beginning of a page: the sections that stay, and
//! those that are thrown away after its initialisation, each in the order of the file (`layout_sections`,
//! kernel/module/main.c). So of a mark's address the last twelve bits say where in a page of the module it can be, and
//! its bytes must be those of the file, but for those that the kernel writes. What so fits by chance is short; a place
//! is believed if enough bytes of all marks there agree. Of several places that a mark can be in, it is in the one
//! where most bytes agree; of the others, its bytes do not count. Modules that are unloaded and loaded elsewhere, and
//! others at the same place, are told apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sansim_marks::{Mark, Marks};

use crate::code::{Code, Section};

const PAGE: u64 = 4096;
/// How many bytes must agree for a place to be believed, in code that stays: or half of all, if it has fewer.
const ENOUGH: usize = 64;
/// The same for code that is thrown away. It is short, and a module has it only if its other code is there.
const ENOUGH_INITIAL: usize = 8;

/// What was executed of a module's sections: for each in the order of [`Code::sections`], and each byte of it.
pub type Executed = Vec<Vec<bool>>;

/// The sections that are loaded together, in a module of a list.
#[derive(Debug)]
struct Part<'c> {
    module: usize,
    /// Whether it is thrown away after initialisation.
    initial: bool,
    /// Index, offset in the part, and contents of each section.
    sections: Vec<(usize, u64, &'c Section)>,
    size: u64,
}

/// A part of a module at an address: the part's index, and the address.
type Place = (usize, u64);
/// The marks that can be there: their indexes, and how many bytes of each agree.
type Fits = BTreeMap<Place, BTreeMap<usize, usize>>;

/// What was executed of each of these modules; `None` for one that the guest has not executed.
pub fn place(codes: &[&Code], marks: &Marks) -> Vec<Option<Executed>> {
    let marks: Vec<&Mark> = marks.iter().collect();
    let parts: Vec<Part<'_>> =
        codes.iter().enumerate().flat_map(|(at, code)| parts(at, code)).collect();
    let mut lasting = fits(&parts, |part| !part.initial, &marks);
    leave_to_the_best(&mut lasting);
    keep_believed(&mut lasting, &parts);
    let there: BTreeSet<usize> = lasting.keys().map(|(index, _)| parts[*index].module).collect();
    // The same page is used by one module's after the other.
    let mut initial = fits(&parts, |it| it.initial && there.contains(&it.module), &marks);
    keep_believed(&mut initial, &parts);
    let mut executed: Vec<Option<Executed>> = vec![None; codes.len()];
    for ((index, base), here) in lasting.iter().chain(&initial) {
        let part = &parts[*index];
        let all = executed[part.module].get_or_insert_with(|| nothing(codes[part.module]));
        here.keys().for_each(|number| part.execute(*base, marks[*number], all));
    }
    executed
}

/// All places of certain parts at which a mark can be.
fn fits(parts: &[Part<'_>], wanted: impl Fn(&Part<'_>) -> bool, marks: &[&Mark]) -> Fits {
    let mut all = Fits::new();
    for (index, part) in parts.iter().enumerate().filter(|(_, part)| wanted(part)) {
        for (number, mark) in marks.iter().enumerate() {
            for (base, agreed) in part.fits(mark) {
                all.entry((index, base)).or_default().insert(number, agreed);
            }
        }
    }
    all
}

/// How many bytes of all marks at a place agree.
fn agreed(here: &BTreeMap<usize, usize>) -> usize {
    here.values().sum()
}

/// Leaves each mark at the place where most of all marks agrees.
fn leave_to_the_best(all: &mut Fits) {
    let mut best: HashMap<usize, usize> = HashMap::new();
    for here in all.values() {
        for number in here.keys() {
            let best = best.entry(*number).or_default();
            *best = agreed(here).max(*best);
        }
    }
    for here in all.values_mut() {
        let all_of_it = agreed(here);
        here.retain(|number, _| best.get(number) == Some(&all_of_it));
    }
}

/// Forgets places at which too little agrees.
fn keep_believed(all: &mut Fits, parts: &[Part<'_>]) {
    all.retain(|(index, _), here| agreed(here) >= parts[*index].enough());
}

fn nothing(code: &Code) -> Executed {
    code.sections.iter().map(|section| vec![false; section.bytes.len()]).collect()
}

/// The parts of a module.
fn parts(module: usize, code: &Code) -> impl Iterator<Item = Part<'_>> {
    [false, true].into_iter().map(move |initial| {
        let mut part = Part { module, initial, sections: Vec::new(), size: 0 };
        for (index, section) in code.sections.iter().enumerate() {
            if section.name.starts_with(".init") != initial {
                continue;
            }
            let offset = part.size.next_multiple_of(section.align);
            part.sections.push((index, offset, section));
            part.size = offset + section.bytes.len() as u64;
        }
        part
    })
}

impl Part<'_> {
    /// How many bytes must agree for it to be believed.
    fn enough(&self) -> usize {
        let stable = |section: &Section| section.stable.iter().filter(|stable| **stable).count();
        let all: usize = self.sections.iter().map(|(_, _, section)| stable(section)).sum();
        let enough = if self.initial { ENOUGH_INITIAL } else { ENOUGH };
        enough.min(all.div_ceil(2)).max(1)
    }

    /// The addresses at which the part would have this mark's code, and how many bytes agree.
    fn fits<'m>(&'m self, mark: &'m Mark) -> impl Iterator<Item = (u64, usize)> + 'm {
        let pages = 0..self.size.div_ceil(PAGE);
        let in_page = mark.address % PAGE;
        pages.filter_map(move |page| {
            let offset = page * PAGE + in_page;
            Some((mark.address.checked_sub(offset)?, self.agrees(offset, &mark.bytes)?))
        })
    }

    /// The section at an offset in the part, and the offset in the section.
    fn section(&self, offset: u64) -> Option<(usize, usize, &Section)> {
        let (index, begin, section) =
            self.sections.iter().rev().find(|(_, begin, _)| *begin <= offset)?;
        Some((*index, usize::try_from(offset - begin).ok()?, section))
    }

    /// How many of these bytes are those of the part; `None` if one is another that should be the same.
    fn agrees(&self, offset: u64, bytes: &[u8]) -> Option<usize> {
        let (_, from, section) = self.section(offset)?;
        let own = section.bytes.get(from..from.checked_add(bytes.len())?)?;
        let stable = section.stable.get(from..)?;
        let mut agreed = 0;
        for ((own, theirs), stable) in own.iter().zip(bytes).zip(stable) {
            match (*stable, own == theirs) {
                (true, false) => return None,
                (true, true) => agreed += 1,
                (false, _) => {}
            }
        }
        Some(agreed)
    }

    fn execute(&self, base: u64, mark: &Mark, executed: &mut Executed) {
        let Some((index, from, _)) = self.section(mark.address.wrapping_sub(base)) else { return };
        if let Some(bytes) = executed[index].get_mut(from..from + mark.bytes.len()) {
            bytes.fill(true);
        }
    }
}

#[cfg(test)]
mod tests;
