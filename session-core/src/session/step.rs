use super::{LoginOptions, current::Current, vault::Vault};
use crate::{
    Delta, Error, NewSession, Renewal, RenewalNonce, SessionId, SessionToken, Update,
    layer::{Config, Place},
};

/// A new token, to be made by the commit.
#[derive(Clone, Debug)]
pub(crate) enum Intent {
    /// A login, as this user; as nobody if a value that named the user is gone.
    Login(Option<String>, Box<LoginOptions>),
    Renew,
}

/// What a commit asks of the store: one operation.
#[derive(Debug)]
pub(crate) enum Step {
    Nothing,
    Touch(SessionId),
    Update(SessionId, Update),
    Create(SessionToken, Place, NewSession),
    Renew(SessionId, SessionToken, Renewal),
}

impl Step {
    /// Whether it is refused if the session has another id by now, whatever led to it.
    pub(super) const fn follows_no_marker(&self) -> bool {
        match self {
            Self::Renew(..) => true,
            Self::Update(_, update) => update.seal.is_some(),
            Self::Nothing | Self::Touch(_) | Self::Create(..) => false,
        }
    }
}

/// The renewal of a session that a login, or `renew()`, is.
pub(super) fn renewal(current: &Current, intent: Intent, delta: &Delta, config: &Config) -> Result<Step, Error> {
    let token = SessionToken::random_successor(&current.id)?;
    let mut renewal = Renewal::of(current.user.clone());
    if let Intent::Login(user, options) = intent {
        renewal.user = user;
        renewal.login = Some(options.login(config));
    }
    let vault = if renewal.is_handover(current.user.as_deref()) {
        Vault::begin(&token, config)?
    } else {
        current.vault.move_to(&token)?
    };
    (renewal.delta, _) = vault.close(delta)?;
    check_size(&renewal.delta, config)?;
    renewal.seal = vault.seal().cloned();
    renewal.max_size = config.max_size;
    Ok(Step::Renew(current.id, token, renewal))
}

/// The renewal of a session whose token has become old. It changes nothing else; so a session whose seal does not open
/// stays as it is, for somebody may mend it.
pub(super) fn renewal_by_time(current: &Current) -> Result<Step, Error> {
    current.vault.check()?;
    let nonce = RenewalNonce::random()?;
    let token = current.token.successor(&nonce);
    let mut renewal = Renewal::of(current.user.clone());
    renewal.nonce = Some(nonce);
    renewal.seal = current.vault.move_to(&token)?.seal().cloned();
    renewal.max_size = u64::MAX;
    Ok(Step::Renew(current.id, token, renewal))
}

/// The change of a session that stays what it is.
pub(super) fn change(current: &Current, delta: &Delta, config: &Config) -> Result<Step, Error> {
    let (closed, seal) = current.vault.close(delta)?;
    check_size(&closed, config)?;
    let mut update = Update::new(closed);
    update.seal = seal;
    update.touch = current.touch_due;
    update.max_size = config.max_size;
    Ok(Step::Update(current.id, update))
}

/// The creation that a first write or a login is. Removals alone need no session.
pub(super) fn new_session(delta: &Delta, intent: Option<&Intent>, config: &Config) -> Result<Step, Error> {
    let (user, options) = match intent {
        Some(Intent::Login(user, options)) => (user.clone(), &**options),
        _ => (None, &LoginOptions::default()),
    };
    if delta.sets().next().is_none() && user.is_none() {
        return Ok(Step::Nothing);
    }
    let place = if intent.is_some() { Place::Login } else { Place::Visitor };
    let login = options.login(config);
    let mut new = NewSession::new(login.lifetime);
    if user.is_some() {
        new.about = login.about;
        new.limit = login.limit;
    }
    new.user = user;
    creation(new, delta, place, config)
}

/// The creation of a session with this data.
pub(super) fn creation(mut new: NewSession, delta: &Delta, place: Place, config: &Config) -> Result<Step, Error> {
    let token = SessionToken::random()?;
    let vault = Vault::begin(&token, config)?;
    (new.delta, _) = vault.close(delta)?;
    check_size(&new.delta, config)?;
    new.seal = vault.seal().cloned();
    new.max_size = config.max_size;
    Ok(Step::Create(token, place, new))
}

/// What is set takes that much room, whatever else there is.
fn check_size(delta: &Delta, config: &Config) -> Result<(), Error> {
    let (size, limit) = (delta.size(), config.max_size);
    if size > limit {
        return Err(Error::TooLarge { size, limit });
    }
    Ok(())
}
