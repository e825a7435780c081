"""What people see: the facts of a moment (`facts`), gathered (`gathering`), drawn as HTML or text (`html_view`,
`text_view`), and kept current where they are shown (`live_display`).

Drawing is pure: facts in, text out, no clock and no notebook. Whatever clients or data have named is text there,
never markup. Where a view appears is the host's affair (`Host.display`).
"""
