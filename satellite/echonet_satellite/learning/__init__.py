"""What a home teaches its satellite: sounds that are no alarm, and sounds of its own. Pure, apart from `store`."""
