"""PDF documents: what is taken, where its anchors stand, how it is stamped and sealed, and what a seal proves.

    process ─▶ jobs ─▶ inspecting ─▶ objects, page_tree, anchors     in a process with limits: what others have sent
                       rendering                                     in the same: pages as pictures
    sealing ─▶ stamping, certificate_page ─▶ fonts, places           in the worker: what ``inspecting`` has let in
    verifying ─▶ changes                                             in either

Functions over bytes, without a database. The libraries are large, and most processes never need them.
So they are imported inside the functions that use them.
"""
