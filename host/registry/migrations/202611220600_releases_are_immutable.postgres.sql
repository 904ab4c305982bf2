create function release_refuses_change() returns trigger language plpgsql as
$$ begin raise exception 'a release never changes or goes'; end $$;
create trigger release_is_immutable before update on release for each row
when (new.id <> old.id or new.plugin_id <> old.plugin_id or new.version <> old.version
  or new.digest <> old.digest or new.manifest <> old.manifest or new.report <> old.report)
execute function release_refuses_change();
create trigger release_is_kept before delete or truncate on release
for each statement execute function release_refuses_change();
create trigger release_component_is_immutable before update or delete or truncate on release_component
for each statement execute function release_refuses_change();
