create trigger release_is_immutable before update on release
when new.id <> old.id or new.plugin_id <> old.plugin_id or new.version <> old.version
  or new.digest <> old.digest or new.manifest <> old.manifest or new.report <> old.report
begin select raise(abort, 'a release never changes'); end;
create trigger release_is_kept before delete on release
begin select raise(abort, 'a release never goes'); end;
create trigger release_component_is_immutable before update on release_component
begin select raise(abort, 'a release never changes'); end;
create trigger release_component_is_kept before delete on release_component
begin select raise(abort, 'a release never goes'); end;
