//! The durability of the embedded log: crashes behind every operation of its disk, and disks that
//! fail, lie and run full.
//!
//! | part | knows |
//! | --- | --- |
//! | `disk` | a simulated disk, and the states in which a crash can leave it |
//! | `subject` | what an engine must offer to be tested |
//! | `workload` | what is done to a log, and what it answered |
//! | `check` | what must hold after a crash, while the disk is slow, and when bytes rot |
//! | `hunt` | crashes workloads everywhere |
//! | `faults` | disks that fail and run full |
//! | `rot` | bytes that rot, files that are cut |
//! | `forever` | as long as somebody wants |
//! | `engine` | the engine of this crate as a subject |
//! | `crashes` | it survives every crash |
//! | `toy` | a simple log with bugs, which the checks must find |
//! | `self_test` | that they do |
//! | `seeded` | that they find mistakes in the engine, too |

#[cfg(test)]
mod check;
#[cfg(test)]
mod crashes;
#[cfg(test)]
mod dice;
#[cfg(test)]
mod disk;
#[cfg(test)]
mod engine;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod forever;
#[cfg(test)]
mod hunt;
#[cfg(test)]
mod rot;
#[cfg(all(test, feature = "seeded-bugs"))]
mod seeded;
#[cfg(test)]
mod self_test;
#[cfg(test)]
mod subject;
#[cfg(test)]
mod toy;
#[cfg(test)]
mod workload;
