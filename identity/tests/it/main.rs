//! Tokens and codes from outside: what is accepted, and what is not.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod forge;
#[cfg(test)]
mod forgeries;
#[cfg(feature = "oidc")]
#[cfg(test)]
mod outside;
