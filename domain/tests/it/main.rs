//! What holds for every decider and every stored event: properties over generated values, and the
//! JSON Schemas and golden events in `schemas/events/`.

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod codecs;
#[cfg(test)]
mod deciders;
#[cfg(test)]
mod files;
#[cfg(test)]
mod goldens;
#[cfg(test)]
mod profile;
#[cfg(test)]
mod resume;
#[cfg(test)]
mod schemas;
