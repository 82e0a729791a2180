//! Who may do what: one class for every field of `Query`, `Mutation` and `Subscription`, for every
//! type and field that needs more than the field that leads to it, and for every route.
//!
//! The resolvers ask for what stands here. Tests hold both together: every field of the schema has a
//! class and every class a field, and each operation is run by every kind of caller on something of
//! their own, of somebody else and on nothing.

use crate::access::Role;

/// Who may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Anybody, with or without an access token. What is somebody's is not there for others.
    Public,
    /// Whoever brings a proof of another kind in the request itself, such as a playback token, a
    /// password or a code.
    Proof,
    /// Whoever has an access token, for what belongs to its account. What belongs to another account
    /// is answered exactly as what does not exist.
    Own,
    /// Whoever has an access token with this role.
    Role(Role),
    /// Whoever has an access token with the role content_admin, for every title; and with the role
    /// creator, for their own videos. To creators, the videos of others look like missing ones.
    Titles,
}

/// A field of the schema, or a type, and who may have it.
pub type Class = (&'static str, Access);

/// The fields of `Query`, `Mutation` and `Subscription`.
pub const FIELDS: &[Class] = &[
    ("Query.node", Access::Public),
    ("Query.title", Access::Public),
    ("Query.titles", Access::Public),
    ("Query.titleHistory", Access::Role(Role::ContentAdmin)),
    ("Query.person", Access::Public),
    ("Query.myVideos", Access::Role(Role::Creator)),
    ("Query.viewer", Access::Own),
    ("Query.me", Access::Own),
    ("Query.waitingDevice", Access::Own),
    ("Query.home", Access::Own),
    ("Query.homeRow", Access::Own),
    ("Query.trending", Access::Public),
    ("Query.newTitles", Access::Public),
    ("Query.genres", Access::Public),
    ("Query.search", Access::Public),
    ("Query.suggest", Access::Public),
    ("Mutation.openAccount", Access::Own),
    ("Mutation.addProfile", Access::Own),
    ("Mutation.changeProfile", Access::Own),
    ("Mutation.removeProfile", Access::Own),
    ("Mutation.setProfilePin", Access::Own),
    ("Mutation.removeProfilePin", Access::Own),
    ("Mutation.subscribe", Access::Own),
    ("Mutation.changePlan", Access::Own),
    ("Mutation.cancelSubscription", Access::Own),
    ("Mutation.startPlayback", Access::Own),
    ("Mutation.stopPlayback", Access::Proof),
    ("Mutation.dismissTitle", Access::Own),
    ("Mutation.restoreTitle", Access::Own),
    ("Mutation.markWatched", Access::Own),
    ("Mutation.markUnwatched", Access::Own),
    ("Mutation.removeFromHistory", Access::Own),
    ("Mutation.addTitle", Access::Titles),
    ("Mutation.editTitle", Access::Titles),
    ("Mutation.publishTitle", Access::Titles),
    ("Mutation.withdrawTitle", Access::Titles),
    ("Mutation.scheduleAvailability", Access::Titles),
    ("Mutation.blockTerritories", Access::Titles),
    ("Mutation.makeAvailable", Access::Titles),
    ("Mutation.register", Access::Public),
    ("Mutation.resendVerification", Access::Public),
    ("Mutation.requestPasswordReset", Access::Public),
    ("Mutation.verifyEmail", Access::Proof),
    ("Mutation.signIn", Access::Proof),
    ("Mutation.signInWithProvider", Access::Proof),
    ("Mutation.refreshSignIn", Access::Proof),
    ("Mutation.resetPassword", Access::Proof),
    ("Mutation.confirmEmailChange", Access::Proof),
    ("Mutation.linkProvider", Access::Own),
    ("Mutation.signOut", Access::Own),
    ("Mutation.signOutEverywhere", Access::Own),
    ("Mutation.changePassword", Access::Own),
    ("Mutation.changeEmail", Access::Own),
    ("Mutation.approveDevice", Access::Own),
    ("Mutation.denyDevice", Access::Own),
    ("Mutation.renameDevice", Access::Own),
    ("Mutation.removeDevice", Access::Own),
    ("Mutation.giveConsent", Access::Own),
    ("Mutation.withdrawConsent", Access::Own),
    ("Mutation.setBillingAddress", Access::Own),
    ("Mutation.exportMyData", Access::Own),
    ("Mutation.eraseMe", Access::Own),
    ("Mutation.withdrawErasure", Access::Own),
    ("Mutation.suspendAccount", Access::Role(Role::Operator)),
    ("Mutation.reinstateAccount", Access::Role(Role::Operator)),
    ("Mutation.grantRole", Access::Role(Role::Operator)),
    ("Mutation.revokeRole", Access::Role(Role::Operator)),
    ("Subscription.progress", Access::Own),
    ("Subscription.playbackEnded", Access::Own),
];

/// Types, and fields of types, that need more than the field that leads to them.
pub const PARTS: &[Class] = &[
    ("Account", Access::Own),
    ("Profile", Access::Own),
    ("Title.availability", Access::Titles),
    ("Title.history", Access::Titles),
    ("Title.owner", Access::Titles),
];

/// The class of a field of `Query`, `Mutation` or `Subscription`, such as `Query.title`.
#[must_use]
pub fn of_field(name: &str) -> Option<Access> {
    FIELDS.iter().find(|(field, _)| *field == name).map(|(_, access)| *access)
}
