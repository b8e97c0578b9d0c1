/// Implements both directions for one version of tower-sessions. The versions have the same API, and types of their
/// own.
macro_rules! version {
    ($core:ident) => {
        use std::{
            fmt,
            sync::{Arc, OnceLock, Weak},
        };

        use async_trait::async_trait;
        use http::Extensions;
        use $core::{
            ExpiredDeletion, Session, SessionStore,
            session::{Id, Record},
            session_store::{Error, Result},
        };

        use crate::{
            SessionId,
            session::{Handle, View},
            tower_sessions::{
                TowerSessionsStore,
                view::{ViewCore, collecting},
            },
        };

        pub(super) fn enter(
            handle: &Arc<Handle>,
            first: Option<SessionId>,
            extensions: &mut Extensions,
        ) -> Arc<dyn View> {
            let store = Arc::new(ViewStore {
                core: ViewCore::new(handle, first),
                session: OnceLock::new(),
            });
            let session = Arc::new(Session::new(first.map(id_of), Arc::clone(&store), None));
            // The view was made just now, so it has no session yet.
            let _ = store.session.set(Arc::downgrade(&session));
            extensions.insert(Session::clone(&session));
            Arc::new(RequestView(session))
        }

        /// The strong end of what a [`ViewStore`] knows weakly.
        #[derive(Debug)]
        struct RequestView(Arc<Session>);

        #[async_trait]
        impl View for RequestView {
            async fn collect(&self) {
                if self.0.expiry().is_some() {
                    tracing::debug!("a view's expiry is ignored: the session layer's timeouts rule");
                }
                if self.0.is_modified() {
                    // An error is the handle's by now.
                    let _ = collecting(self.0.save()).await;
                }
            }
        }

        /// What a view takes for its store.
        struct ViewStore {
            core: ViewCore,
            session: OnceLock<Weak<Session>>,
        }

        #[async_trait]
        impl SessionStore for ViewStore {
            async fn create(&self, record: &mut Record) -> Result<()> {
                let id = self.core.save(&record.data).await.map_err(Error::Backend)?;
                if let Some(id) = id {
                    record.id = id_of(id);
                }
                Ok(())
            }

            async fn save(&self, record: &Record) -> Result<()> {
                self.core
                    .save(&record.data)
                    .await
                    .map(drop)
                    .map_err(Error::Backend)
            }

            async fn load(&self, id: &Id) -> Result<Option<Record>> {
                let data = self.core.load().await.map_err(Error::Backend)?;
                Ok(data.map(|data| Record {
                    id: *id,
                    data,
                    expiry_date: time::OffsetDateTime::now_utc(), // set anew before each save, and read by nobody
                }))
            }

            async fn delete(&self, _id: &Id) -> Result<()> {
                // Whoever cycles the id has forgotten it when it deletes the old one; whoever ends the session has it
                // still. Nothing but the id may be asked: `cycle_id` holds the lock of the rest. After the response
                // the session is not known here any more, and no token can be given out: then it is an end.
                let session = self.session.get().and_then(Weak::upgrade);
                let outcome = if session.is_some_and(|session| session.id().is_none()) {
                    self.core.renew()
                } else {
                    self.core.logout().await
                };
                outcome.map_err(Error::Backend)
            }
        }

        impl fmt::Debug for ViewStore {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("ViewStore(..)")
            }
        }

        fn id_of(id: SessionId) -> Id {
            Id(i128::from_be_bytes(*id.as_bytes()))
        }

        #[async_trait]
        impl SessionStore for TowerSessionsStore {
            async fn create(&self, record: &mut Record) -> Result<()> {
                let created = self.create_record(&mut record.data, record.expiry_date).await;
                record.id = Id(created.map_err(backend)?);
                Ok(())
            }

            async fn save(&self, record: &Record) -> Result<()> {
                let Record {
                    id,
                    data,
                    expiry_date,
                } = record;
                self.save_record(id.0, data, *expiry_date).await.map_err(backend)
            }

            async fn load(&self, id: &Id) -> Result<Option<Record>> {
                let loaded = self.load_record(id.0).await.map_err(backend)?;
                Ok(loaded.map(|(data, expiry_date)| Record {
                    id: *id,
                    data,
                    expiry_date,
                }))
            }

            async fn delete(&self, id: &Id) -> Result<()> {
                self.delete_record(id.0).await.map_err(backend)
            }
        }

        #[async_trait]
        impl ExpiredDeletion for TowerSessionsStore {
            async fn delete_expired(&self) -> Result<()> {
                self.purge().await.map_err(backend)
            }
        }

        fn backend(error: crate::Error) -> Error {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "the session store failed"
            );
            Error::Backend(error.to_string())
        }
    };
}

pub(super) use version;
