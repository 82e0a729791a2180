//! The closed sets of names that identities are described with.

use crate::values::names;

names! {
    /// How an account stands.
    pub enum Status {
        /// The e-mail address is not verified yet.
        PendingVerification = "pending_verification",
        /// Everything that its roles allow.
        Active = "active",
        /// Locked for a while.
        Suspended = "suspended",
        /// Closed for good.
        Cancelled = "cancelled",
        /// Closed, and nothing personal of it is left.
        Erased = "erased",
    }
}

names! {
    /// What an account may do.
    pub enum Role {
        /// Watches. Every account begins with this one.
        Viewer = "viewer",
        /// Uploads titles of their own.
        Creator = "creator",
        /// Edits the whole catalogue.
        ContentAdmin = "content_admin",
        /// Sees figures about all accounts, none about one.
        Analyst = "analyst",
        /// Sees what happened, and changes nothing.
        Auditor = "auditor",
        /// Runs the service.
        Operator = "operator",
    }
}

names! {
    /// A use of data that needs consent (GDPR, article 6(1)(a)).
    pub enum ConsentPurpose {
        /// Mail about titles and offers.
        MarketingEmail = "marketing_email",
        /// Recommendations from what was watched.
        PersonalisedRecommendations = "personalised_recommendations",
        /// Figures of how the apps are used.
        Analytics = "analytics",
    }
}

names! {
    /// What a code that was sent by mail does.
    pub enum CodePurpose {
        /// Verifies the address of a new account.
        Verification = "verification",
        /// Lets a new password be chosen.
        PasswordReset = "password_reset",
        /// Verifies the address that replaces another.
        EmailChange = "email_change",
    }
}
