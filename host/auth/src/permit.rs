use std::fmt;

use qiao_model::{InstitutionId, OAuthClientId, PluginId, ReleaseId, Scope, ScopeSet, UserId};

use crate::{Auth, Denied, Session};

/// Who acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A signed-in person, for themselves.
    User(UserId),
    /// A signed-in person, for their institution.
    Staff {
        /// Who.
        user: UserId,
        /// For whom.
        institution: InstitutionId,
    },
    /// An institution's server, by an access token.
    Client {
        /// Which client.
        client: OAuthClientId,
        /// Whose it is.
        institution: InstitutionId,
    },
    /// A running plugin.
    Plugin {
        /// Which plugin.
        plugin: PluginId,
        /// Which of its releases runs.
        release: ReleaseId,
        /// Whose it is.
        institution: InstitutionId,
        /// The person that the call is for, if it is for one.
        on_behalf_of: Option<UserId>,
    },
    /// A signed-in operator of the platform.
    Operator(UserId),
    /// A job of the host itself, by its name.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(user) => write!(f, "user {user}"),
            Self::Staff { user, institution } => write!(f, "staff {user} of {institution}"),
            Self::Client { client, .. } => write!(f, "client {client}"),
            Self::Plugin { plugin, .. } => write!(f, "plugin {plugin}"),
            Self::Operator(user) => write!(f, "operator {user}"),
            Self::System(job) => write!(f, "system {job}"),
        }
    }
}

/// What a signed-in person may do with their own things.
const ACCOUNT_COVERS: [Scope; 5] = [
    Scope::OrdersRead,
    Scope::OrdersWrite,
    Scope::PaymentsRead,
    Scope::PaymentsWrite,
    Scope::HoldingsRead,
];

/// What a staff member may do with their institution's things, and so what they
/// may let its clients do. Anything else a client gets by an operator's grant.
pub const STAFF_GRANTS: [Scope; 7] = [
    Scope::CatalogWrite,
    Scope::PaymentsRead,
    Scope::PaymentsRefund,
    Scope::OrdersRead,
    Scope::MessagesSend,
    Scope::ReleasesWrite,
    Scope::WebhooksWrite,
];

/// Proof that a caller may do one thing. Only this room makes one; a function
/// that changes or shows anything takes one and asks [`Permit::covers`], then
/// narrows to [`Permit::user`] or [`Permit::institution`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Permit {
    actor: Actor,
    scope: Scope,
}

impl Permit {
    pub(crate) const fn new(actor: Actor, scope: Scope) -> Self {
        Self { actor, scope }
    }

    /// Who acts.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }

    /// What was permitted.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Demands a scope: the permitted one, or one that it includes (`account`
    /// includes one's own orders and payments, `institution` what its staff may let
    /// a client do: [`STAFF_GRANTS`]). `operate` includes nothing else.
    ///
    /// # Errors
    /// The permit is for something else.
    pub fn covers(&self, scope: Scope) -> Result<(), Denied> {
        let included = match self.scope {
            Scope::Account => ACCOUNT_COVERS.contains(&scope),
            Scope::Institution => STAFF_GRANTS.contains(&scope),
            _ => false,
        };
        if self.scope == scope || included {
            Ok(())
        } else {
            Err(Denied::new(
                &self.actor,
                scope,
                "the permit is for something else",
            ))
        }
    }

    /// The person whose own things the caller may touch: the signed-in user, or
    /// the one that a plugin's call is for. None for staff, clients, operators
    /// and the host's jobs, who do not act for a person.
    #[must_use]
    pub const fn user(&self) -> Option<UserId> {
        match &self.actor {
            Actor::User(user) => Some(*user),
            Actor::Plugin { on_behalf_of, .. } => *on_behalf_of,
            Actor::Staff { .. } | Actor::Client { .. } | Actor::Operator(_) | Actor::System(_) => {
                None
            }
        }
    }

    /// The institution whose things the caller may touch.
    #[must_use]
    pub const fn institution(&self) -> Option<InstitutionId> {
        match &self.actor {
            Actor::Staff { institution, .. }
            | Actor::Client { institution, .. }
            | Actor::Plugin { institution, .. } => Some(*institution),
            Actor::User(_) | Actor::Operator(_) | Actor::System(_) => None,
        }
    }

    /// Demands that the caller acts for this institution.
    ///
    /// # Errors
    /// It acts for another one, or for none.
    pub fn is_for_institution(&self, institution: InstitutionId) -> Result<(), Denied> {
        if self.institution() == Some(institution) {
            Ok(())
        } else {
            Err(Denied::new(
                &self.actor,
                self.scope,
                "it belongs to another institution",
            ))
        }
    }

    /// Demands that the caller acts for a person.
    ///
    /// # Errors
    /// It does not.
    pub fn demand_user(&self) -> Result<UserId, Denied> {
        self.user()
            .ok_or_else(|| Denied::new(&self.actor, self.scope, "it acts for no person"))
    }

    /// Demands that the caller acts for an institution.
    ///
    /// # Errors
    /// It does not.
    pub fn demand_institution(&self) -> Result<InstitutionId, Denied> {
        self.institution()
            .ok_or_else(|| Denied::new(&self.actor, self.scope, "it acts for no institution"))
    }
}

/// A running plugin, as the runtime knows it: what its active release was
/// granted, and whom the call is for.
#[derive(Clone, Debug)]
pub struct PluginCaller {
    /// Which plugin.
    pub plugin: PluginId,
    /// Which release.
    pub release: ReleaseId,
    /// Whose.
    pub institution: InstitutionId,
    /// The scopes of the release's manifest, as approved.
    pub granted: ScopeSet,
    /// The person that the call is for, if it is for one.
    pub on_behalf_of: Option<UserId>,
}

impl Auth {
    /// A permit for a signed-in person: `account` for themselves, `operate` if
    /// they are an operator.
    ///
    /// # Errors
    /// Any other scope (see [`Auth::permit_staff`]), or `operate` for somebody
    /// who is no operator.
    pub fn permit_session(&self, session: &Session, scope: Scope) -> Result<Permit, Denied> {
        let user = Actor::User(session.user());
        match scope {
            Scope::Account => Ok(Permit::new(user, scope)),
            Scope::Operate if session.is_operator() => {
                Ok(Permit::new(Actor::Operator(session.user()), scope))
            }
            Scope::Operate => Err(Denied::new(&user, scope, "this person is no operator")),
            _ => Err(Denied::new(&user, scope, "a session does not carry it")),
        }
    }

    /// A permit for a signed-in person to act for one of their institutions.
    ///
    /// # Errors
    /// They are not on its staff, or it is suspended.
    pub fn permit_staff(
        &self,
        session: &Session,
        institution: InstitutionId,
    ) -> Result<Permit, Denied> {
        let user = session.user();
        if session.institutions().contains(&institution) {
            let actor = Actor::Staff { user, institution };
            return Ok(Permit::new(actor, Scope::Institution));
        }
        let reason = "this person is not on the staff of the institution, or it is suspended";
        Err(Denied::new(&Actor::User(user), Scope::Institution, reason))
    }

    /// A permit for a running plugin.
    ///
    /// # Errors
    /// The release was not granted the scope, or no plugin ever is.
    pub fn permit_plugin(&self, caller: &PluginCaller, scope: Scope) -> Result<Permit, Denied> {
        let actor = Actor::Plugin {
            plugin: caller.plugin,
            release: caller.release,
            institution: caller.institution,
            on_behalf_of: caller.on_behalf_of,
        };
        if !scope.grantable_to_client() {
            return Err(Denied::new(&actor, scope, "it belongs to people"));
        }
        if !caller.granted.contains(scope) {
            return Err(Denied::new(
                &actor,
                scope,
                "the manifest does not ask for it",
            ));
        }
        Ok(Permit::new(actor, scope))
    }

    /// A permit for a job of the host itself.
    #[must_use]
    pub fn permit_system(&self, job: &'static str, scope: Scope) -> Permit {
        Permit::new(Actor::System(job), scope)
    }
}
