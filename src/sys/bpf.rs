//! Programs of classic BPF for seccomp(2), put together from steps with labels.
//!
//! Nothing is decided here: what is told apart, and what is given for it, is the caller's.

use super::filter::Instruction;

/// Load a word of `struct seccomp_data` (linux/seccomp.h).
const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const AT_LEAST: u16 = (libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K) as u16;
const ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const RETURN: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Where the number of a call stands.
pub const NUMBER: u32 = 0;
/// Where its machine stands.
pub const MACHINE: u32 = 4;

/// Where the low half of an argument stands.
#[must_use]
pub const fn low(argument: u32) -> u32 {
    let low = if cfg!(target_endian = "big") { 4 } else { 0 };
    16 + 8 * argument + low
}

/// Where its high half stands.
#[must_use]
pub const fn high(argument: u32) -> u32 {
    let high = if cfg!(target_endian = "big") { 0 } else { 4 };
    16 + 8 * argument + high
}

/// The machine that this program is built for: `AUDIT_ARCH_*` of linux/audit.h.
#[cfg(target_arch = "x86_64")]
pub const NATIVE_MACHINE: u32 = 0xc000_003e;
/// The machine that this program is built for: `AUDIT_ARCH_*` of linux/audit.h.
#[cfg(target_arch = "aarch64")]
pub const NATIVE_MACHINE: u32 = 0xc000_00b7;

/// Numbers from here on are calls of the x32 machine, which no program here needs.
pub const X32: u32 = 0x4000_0000;

/// The number of a call as a filter sees it.
#[must_use]
pub fn number(call: libc::c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

/// A place in a program that is jumped to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label(usize);

/// One step of a program, before its jumps are counted.
#[derive(Clone, Copy, Debug)]
pub enum Step {
    /// Loads what stands at a place.
    Load(u32),
    /// Jumps where what was loaded is this, else goes on.
    Equal(u32, Label),
    /// Jumps where it is at least this.
    AtLeast(u32, Label),
    /// Jumps where it has any of these bits.
    AnyBit(u32, Label),
    /// Ends with this.
    Give(u32),
    /// Is jumped to.
    Here(Label),
}

/// A program that is being written.
///
/// When a filter is installed, the kernel walks through it once for each call there is, to remember which
/// ones always pass. So calls are told apart by halving, and the usual one is through after a few steps.
#[derive(Debug, Default)]
pub struct Builder {
    steps: Vec<Step>,
    labels: usize,
}

impl Builder {
    /// A new label, which stands nowhere yet.
    #[must_use]
    pub fn label(&mut self) -> Label {
        self.labels += 1;
        Label(self.labels)
    }

    /// Adds a step.
    pub fn add(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// Goes on at the label of the number that was loaded; gives `usual` for all others. The numbers are
    /// sorted.
    pub fn branch(&mut self, calls: &[(u32, Label)], usual: u32) {
        const FEW: usize = 2;
        if calls.len() <= FEW {
            for (number, label) in calls {
                self.add(Step::Equal(*number, *label));
            }
            self.add(Step::Give(usual));
            return;
        }
        let (low, high) = calls.split_at(calls.len() / 2);
        let upper = self.label();
        if let Some((number, _)) = high.first() {
            self.add(Step::AtLeast(*number, upper));
        }
        self.branch(low, usual);
        self.add(Step::Here(upper));
        self.branch(high, usual);
    }

    /// The instructions. A jump is at most 255 far, which no program here reaches; one that did would be
    /// one over nothing, to an outcome that the tests would see.
    #[must_use]
    pub fn assemble(&self) -> Vec<Instruction> {
        let mut places = std::collections::BTreeMap::new();
        let mut count = 0usize;
        for step in &self.steps {
            match step {
                Step::Here(label) => drop(places.insert(label.0, count)),
                _ => count += 1,
            }
        }
        let mut program: Vec<Instruction> = Vec::with_capacity(count);
        for step in &self.steps {
            let next = program.len() + 1;
            let jump = |label: &Label| {
                let place = places.get(&label.0).copied().unwrap_or(next);
                u8::try_from(place.saturating_sub(next)).unwrap_or(0)
            };
            let (code, k, jt) = match step {
                Step::Load(place) => (LOAD, *place, 0),
                Step::Equal(value, label) => (EQUAL, *value, jump(label)),
                Step::AtLeast(value, label) => (AT_LEAST, *value, jump(label)),
                Step::AnyBit(bits, label) => (ANY_BIT, *bits, jump(label)),
                Step::Give(outcome) => (RETURN, *outcome, 0),
                Step::Here(_) => continue,
            };
            program.push(Instruction { code, jt, jf: 0, k });
        }
        program
    }
}

/// Running a filter without the kernel, for the tests of those who write one.
#[cfg(test)]
pub mod tests {
    use super::*;

    /// Runs a filter as the kernel would on one call with these first arguments.
    pub fn outcome<const N: usize>(
        filter: &[Instruction],
        machine: u32,
        call: u32,
        arguments: [u64; N],
    ) -> u32 {
        walk(filter, machine, call, arguments, &mut 0)
    }

    /// The same; counts the steps.
    pub fn walk<const N: usize>(
        filter: &[Instruction],
        machine: u32,
        call: u32,
        arguments: [u64; N],
        steps: &mut usize,
    ) -> u32 {
        let mut loaded = 0u32;
        let mut at = 0usize;
        loop {
            let step = filter[at];
            at += 1;
            *steps += 1;
            let jumps = match step.code {
                LOAD => {
                    loaded = match step.k {
                        NUMBER => call,
                        MACHINE => machine,
                        place if place == low(0) => arguments[0] as u32,
                        place if place == high(0) => (arguments[0] >> 32) as u32,
                        place if place == low(1) => arguments[1] as u32,
                        place if place == low(2) => arguments[2] as u32,
                        other => panic!("loads {other}"),
                    };
                    continue;
                }
                EQUAL => loaded == step.k,
                AT_LEAST => loaded >= step.k,
                ANY_BIT => loaded & step.k != 0,
                RETURN => return step.k,
                other => panic!("code {other}"),
            };
            at += usize::from(if jumps { step.jt } else { step.jf });
        }
    }
}
