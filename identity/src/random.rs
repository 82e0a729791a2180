//! Random bytes of the operating system.

use rand::TryRngCore;
use rand::rngs::OsRng;
use thiserror::Error;

/// The operating system gave no random bytes. Nothing secret can be made; try again later.
#[derive(Debug, Error)]
#[error("the operating system gave no random bytes")]
pub struct RandomError(#[source] rand::rand_core::OsError);

pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], RandomError> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).map_err(RandomError)?;
    Ok(bytes)
}
