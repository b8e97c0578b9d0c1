//! A primary whose replicas are waited for.
