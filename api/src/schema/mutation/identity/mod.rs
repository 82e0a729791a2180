//! What people do to prove who they are: one file for each flow.

mod email;
mod password;
mod register;
mod sign_in;

pub(super) use email::EmailMutation;
pub(super) use password::PasswordMutation;
pub(super) use register::RegisterMutation;
pub(super) use sign_in::SignInMutation;
