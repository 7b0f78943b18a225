"""Tells whether a catalogue's status of a product lets it be shown, in eleven languages.

The distinct values of a status column come in, what each of them says goes out: a product that may
be shown, one that may not, or nothing where the word is not known. What is not known is rejected
and never shown. Called by ``catalogue``.
"""

import re
from collections.abc import Collection

from recsys.values.vocabulary import NO, YES, fold


def _folded(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in re.split(r"[,\n]", words) if word.strip())


#: English first: docs/ingest.md lists these.
ENGLISH_SHOWN = """
    active, activated, enabled, enable, published, publish, visible, available, live, online, listed
    in stock, instock, preorder, pre-order, backorder, back order, on backorder, onbackorder
    catalog, search, catalog search, catalog and search, shop and search, shop and search results
    shop, shop only, search results only, approved, current, everywhere
"""
ENGLISH_HIDDEN = """
    -1, inactive, deactivated, disabled, disable, archived, archive, draft, auto-draft, unpublished
    not published, hidden, invisible, not visible, not visible individually, private, pending
    pending review, scheduled, future, trash, trashed, deleted, removed, discontinued, obsolete
    delisted, unlisted, not listed, out of stock, outofstock, sold out, unavailable, not available
    offline, blocked, locked, suspended, rejected, expired, retired, withdrawn, closed, ended
    end of life, eol, phased out, not active, not for sale, nowhere, no longer available
"""
SHOWN = YES | _folded(
    ENGLISH_SHOWN
    + """
    aktiv, aktiviert, veröffentlicht, sichtbar, verfügbar, lieferbar, auf lager, vorrätig
    freigegeben
    actif, active, activé, activée, publié, publiée, en stock, disponible, en ligne
    activo, activa, activado, publicado, publicada, habilitado, habilitada, disponible, en línea
    attivo, attiva, attivato, pubblicato, pubblicata, visibile, abilitato, disponibile, in linea
    aktywny, aktywna, aktywne, opublikowany, opublikowana, opublikowane, opublikowano, widoczny
    widoczna, widoczne, włączony, włączone, dostępny, dostępna, dostępne, w magazynie
    aktif, etkin, etkinleştirildi, yayında, yayınlandı, yayımlandı, görünür, stokta, stokta var
    mevcut
    نشط, نشطة, منشور, منشورة, مرئي, مرئية, ظاهر, مفعل, مفعلة, متوفر, متوفرة, متاح, متاحة
    فعال, منتشر شده, منتشرشده, نمایان, قابل مشاهده, موجود, در دسترس
    აქტიური, გამოქვეყნებული, გამოქვეყნებულია, ხილული, ხილვადი, ჩართული, ჩართულია, მარაგშია
    ხელმისაწვდომი, ხელმისაწვდომია
    有効, 公開, 公開中, 公開済み, 表示, 表示中, 掲載, 掲載中, 販売中, 在庫あり, アクティブ
"""
)
HIDDEN = NO | _folded(
    ENGLISH_HIDDEN
    + """
    inaktiv, nicht aktiv, deaktiviert, unveröffentlicht, nicht veröffentlicht, entwurf, archiviert
    unsichtbar, nicht sichtbar, versteckt, verborgen, ausgeblendet, gelöscht, gesperrt, papierkorb
    privat, ausstehend, geplant, ausgelaufen, auslaufartikel, eingestellt, ausverkauft
    nicht verfügbar, nicht lieferbar, nicht auf lager, nicht vorrätig, einzeln nicht sichtbar
    inactif, inactive, désactivé, désactivée, non publié, non publiée, dépublié, brouillon, archivé
    archivée, masqué, masquée, caché, cachée, invisible, non visible, supprimé, supprimée, corbeille
    privé, privée, en attente, planifié, épuisé, rupture de stock, en rupture de stock, indisponible
    hors ligne, arrêté, bloqué, non visible individuellement
    inactivo, inactiva, desactivado, deshabilitado, no publicado, despublicado, borrador, archivado
    oculto, oculta, no visible, eliminado, borrado, papelera, privado, pendiente, programado
    descatalogado, agotado, sin existencias, no disponible, bloqueado, suspendido
    inattivo, inattiva, non attivo, disattivato, disabilitato, non pubblicato, bozza, archiviato
    nascosto, nascosta, non visibile, eliminato, cancellato, cestino, privato, in attesa
    programmato
    fuori produzione, esaurito, non disponibile, bloccato, sospeso
    nieaktywny, nieaktywna, nieaktywne, wyłączony, wyłączone, nieopublikowany, nieopublikowane
    szkic, wersja robocza, zarchiwizowany, zarchiwizowane, ukryty, ukryta, ukryte, niewidoczny
    niewidoczne, usunięty, usunięte, kosz, prywatny, prywatne, oczekujący, oczekujące, zaplanowany
    wycofany, wycofane, wyprzedany, wyprzedane, niedostępny, niedostępne, brak w magazynie
    zablokowany
    pasif, etkin değil, aktif değil, devre dışı, yayında değil, yayınlanmadı, yayından kaldırıldı
    taslak, arşiv, arşivlendi, arşivlenmiş, gizli, görünmez, görünür değil, silindi, silinmiş, çöp
    özel, beklemede, planlandı, üretimden kaldırıldı, tükendi, stokta yok, stokta değil
    mevcut değil
    kapalı, askıda
    غير نشط, غير نشطة, غير منشور, غير منشورة, مسودة, مؤرشف, مؤرشفة, مخفي, مخفية, غير مرئي
    غير ظاهر, معطل, معطلة, غير مفعل, غير مفعلة, محذوف, محذوفة, سلة المهملات, خاص, معلق
    قيد الانتظار, مجدول, متوقف, نفد, نفدت الكمية, غير متوفر, غير متوفرة, غير متاح, محظور
    غیرفعال, غیر فعال, منتشر نشده, پیش نویس, پیش‌نویس, بایگانی شده, بایگانی, آرشیو شده, پنهان, مخفی
    غیر قابل مشاهده, حذف شده, زباله دان, خصوصی, در انتظار, زمان بندی شده, متوقف شده, توقف تولید
    ناموجود, تمام شده, مسدود
    არააქტიური, გამოუქვეყნებელი, არ არის გამოქვეყნებული, მონახაზი, დრაფტი, შავი ვერსია
    დაარქივებული, არქივირებული, დამალული, უხილავი, წაშლილი, გამორთული, გათიშული, პირადი
    მოლოდინში, დაგეგმილი, ამოღებული, გაყიდულია, არ არის მარაგში, მიუწვდომელი, დაბლოკილი
    無効, 非公開, 未公開, 下書き, アーカイブ, アーカイブ済み, 非表示, 削除, 削除済み, ゴミ箱
    保留, 保留中, 予約済み, 販売終了, 販売停止, 販売中止, 廃番, 終売, 在庫なし, 在庫切れ, 売り切れ
    品切れ, 掲載停止, 停止中, 個別に表示しない
"""
)
#: Magento numbers what it writes: enabled and disabled, and four places where a product shows.
_ENABLED = {"1": True, "2": False}
_PLACES = {"1": False, "2": True, "3": True, "4": True}


def read_statuses(values: Collection[str]) -> dict[str, bool]:
    """Say which values of a status column let a product be shown.

    Parameters
    ----------
    values : collection of str
        The distinct values of the whole column: only together do numbers tell what they mean.

    Returns
    -------
    dict
        Value → whether such a product may be shown; values that are not understood are not in it.

    Examples
    --------
    >>> read_statuses(["active", "Draft", "-1", "blue"])
    {'active': True, 'Draft': False, '-1': False}
    """
    folded = {value: fold(value) for value in values}
    found = set(folded.values())
    if "2" in found and found <= set(_ENABLED):
        return {value: _ENABLED[text] for value, text in folded.items()}
    if found <= set(_PLACES) and found & {"2", "3", "4"}:
        return {value: _PLACES[text] for value, text in folded.items()}
    return {
        value: text in SHOWN
        for value, text in folded.items()
        if (text in SHOWN) != (text in HIDDEN)
    }
