create trigger mandate_offer_no_update before update on mandate_offer for each row execute function orders_refuses('an offer never changes');
